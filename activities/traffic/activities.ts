import type { Activities, Site } from '../../contracts/activities.ts';
import type { HeldModel } from '../../contracts/model.ts';
import type { Route, RouteState, Seen } from '../../contracts/route.ts';
import { held } from '../kubernetes/claim.ts';
import type { Cluster } from '../kubernetes/cluster.ts';
import { lookObjects } from '../kubernetes/look-cluster.ts';
import { readObject } from '../kubernetes/objects.ts';
import { readyPods } from '../kubernetes/ready-pods.ts';
import type { FindMetrics } from '../metrics/index.ts';
import { raiseModelFence, raiseModelFenceIfThere } from '../mlflow/claim.ts';
import { lookModel, readModel } from '../mlflow/look-model.ts';
import type { Registry } from '../mlflow/registry.ts';
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
  | 'lookCluster'
  | 'lookModel'
  | 'setWeight'
  | 'observeTraffic'
  | 'watchTraffic'
  | 'probeSide'
  | 'keepFollowUps'
  | 'dropFollowUps';

/** Everything that is done to traffic, and seen of it. */
export function createTrafficActivities(
  { router, metrics }: TrafficDependencies,
  at: (name: string) => Cluster,
  registryAt: (name: string) => Registry,
): Pick<Activities, Named> {
  const contextOf = (target: string, read: RouterContext['read'] = readObject): RouterContext => ({
    // of a model the target is no cluster, and its router lies outside of any
    get cluster() {
      return at(target);
    },
    router,
    read,
  });
  return {
    async lookCluster({ target, looks }) {
      const [objects, route] = await Promise.all([
        lookObjects(at(target), looks),
        looks.route === null ? null : lookRoute(contextOf(target), looks.route),
      ]);
      return { ...objects, route };
    },
    async lookModel({ target, looks }) {
      const [model, route] = await Promise.all([
        lookModel(registryAt(target), looks),
        lookRoute(contextOf(target), looks.route),
      ]);
      return { ...model, route };
    },
    setWeight: ({ site, route, weight }) =>
      site.model === undefined
        ? setByObject(contextOf(site.target), site, route, weight)
        : setByModel(contextOf(site.target), registryAt(site.target), site, site.model, route, weight),
    observeTraffic: ({ seen }) => observe(seen, metrics),
    watchTraffic: (input) =>
      watchTraffic(
        {
          readyPods: (of) => readyPods(at(input.target), of),
          read: (read) => readRoute(contextOf(input.target, read), input.route),
          model: (question) => readModel(registryAt(input.target), question),
          metrics,
          probe: (probe) => probeSide(probe, at),
        },
        input,
      ),
    probeSide: ({ probe }) => probeSide(probe, at),
    keepFollowUps: (input) => keepFollowUps(at(input.site.target), input),
    dropFollowUps: ({ site, followUps }) => dropFollowUps(at(site.target), site, followUps),
  };
}

/** What lies outside the cluster knows no fence: the object that the deployment is known by has to do. */
function setByObject(context: RouterContext, site: Site, route: Route, weight: number): Promise<RouteState> {
  const [object] = site.objects ?? [];
  const write = () => setWeight(context, site, route, weight);
  return object === undefined || !('router' in route) ? write() : held(context.cluster, site, object, write);
}

/** Nor does it beside a registry: there the model has to do, unless it is away and the candidate gets less. */
async function setByModel(
  context: RouterContext,
  registry: Registry,
  site: Site,
  model: HeldModel,
  route: Route,
  weight: number,
): Promise<RouteState> {
  const now = await readRoute(context, route);
  const raise = weight === 0 || weight < (now.weight ?? 0) ? raiseModelFenceIfThere : raiseModelFence;
  await raise(registry, site, model);
  return setWeight(context, site, route, weight);
}

const observe = (seen: Seen, metrics: FindMetrics) =>
  seen.by === 'requests' ? observeRequests(seen) : observeMetrics(seen, metrics);
