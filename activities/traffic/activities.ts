import type { Activities } from '../../contracts/activities.ts';
import type { Probe } from '../../contracts/gate.ts';
import type { Seen } from '../../contracts/route.ts';
import type { WorkloadRef } from '../../contracts/workload.ts';
import { held } from '../kubernetes/claim.ts';
import type { Cluster } from '../kubernetes/cluster.ts';
import { lookObjects } from '../kubernetes/look-cluster.ts';
import { readObject } from '../kubernetes/objects.ts';
import { readyPods } from '../kubernetes/ready-pods.ts';
import type { FindMetrics } from '../metrics/index.ts';
import { dropFollowUps, keepFollowUps } from './follow-ups.ts';
import { lookRoute, readRoute, setWeight } from './index.ts';
import { observeMetrics, observeRequests } from './observe.ts';
import { probeSide } from './probe-side.ts';
import type { RouterConnection, RouterContext } from './router.ts';
import { watchTraffic } from './watch-traffic.ts';

/** What the activities on traffic are given. */
export interface TrafficDependencies {
  /** Throws TARGET_UNKNOWN for a name that is not in the configuration. */
  readonly router: (name: string) => RouterConnection;
  readonly metrics: FindMetrics;
}

type Named =
  'lookCluster' | 'setWeight' | 'observeTraffic' | 'watchTraffic' | 'probeSide' | 'keepFollowUps' | 'dropFollowUps';

/** Everything that is done to traffic, and seen of it. */
export function createTrafficActivities(
  { router, metrics }: TrafficDependencies,
  at: (name: string) => Cluster,
): Pick<Activities, Named> {
  const contextOf = (target: string): RouterContext => ({ cluster: at(target), router, read: readObject });
  return {
    async lookCluster({ target, looks }) {
      const [objects, route] = await Promise.all([
        lookObjects(at(target), looks),
        looks.route === null ? null : lookRoute(contextOf(target), looks.route),
      ]);
      return { ...objects, route };
    },
    async setWeight({ site, route, weight }) {
      const context = contextOf(site.target);
      const [object] = site.objects ?? [];
      const write = () => setWeight(context, site, route, weight);
      // what lies outside the cluster knows no fence: the object that the deployment is known by has to do
      return object === undefined || !('router' in route) ? write() : held(context.cluster, site, object, write);
    },
    observeTraffic: ({ seen }) => observe(seen, metrics),
    watchTraffic(input) {
      const context = contextOf(input.target);
      const read = (reading: RouterContext['read']) => readRoute({ ...context, read: reading }, input.route);
      const probe = (asked: Probe) => probeSide(asked, at);
      const ready = (of: WorkloadRef) => readyPods(context.cluster, of);
      return watchTraffic({ readyPods: ready, read, metrics, probe }, input);
    },
    probeSide: ({ probe }) => probeSide(probe, at),
    keepFollowUps: (input) => keepFollowUps(at(input.site.target), input),
    dropFollowUps: ({ site, followUps }) => dropFollowUps(at(site.target), site, followUps),
  };
}

const observe = (seen: Seen, metrics: FindMetrics) =>
  seen.by === 'requests' ? observeRequests(seen) : observeMetrics(seen, metrics);
