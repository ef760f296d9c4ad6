import type { ClusterFacts } from '../../contracts/cluster-facts.ts';
import type { ReleaseSpec } from '../../contracts/release-spec.ts';
import type { ReleasePlan } from '../../contracts/plan.ts';
import type { RouteFacts } from '../../contracts/route.ts';
import type { ServiceFacts, WorkloadFacts } from '../../contracts/workload.ts';
import { planDeployment } from '../../decisions/plan-deployment.ts';
import { releaseStrategyOf } from '../../decisions/strategies/index.ts';

/** What inspect would see of a friendly Deployment with four pods; override what a test is about. */
export const workloadFacts = (name: string, over: Partial<WorkloadFacts> = {}): WorkloadFacts => ({
  kind: 'Deployment',
  namespace: 'data-platform',
  name,
  uid: `uid-of-${name}`,
  replicas: 4,
  ready: 4,
  containers: [{ name: 'app', image: 'app:1', drainSeconds: 10, otherPreStop: false, hasReadiness: true }],
  selector: { app: name },
  podLabels: { app: name, slot: name },
  rollout: {
    strategy: 'RollingUpdate',
    surge: '25%',
    unavailable: '25%',
    graceSeconds: 30,
    deadlineSeconds: 600,
    paused: false,
  },
  ownedBy: null,
  autoscalers: [],
  nearby: [],
  holder: null,
  ...over,
});

const serviceFacts = (namespace: string, name: string, over: Partial<ServiceFacts> = {}): ServiceFacts => ({
  namespace,
  name,
  uid: `uid-of-${name}`,
  selector: { app: name },
  ownedBy: null,
  holder: null,
  nearby: [],
  ...over,
});

const routeFacts = (): RouteFacts => ({
  object: { kind: 'HTTPRoute', namespace: 'shop', name: 'route', uid: 'uid-of-route' },
  state: { weight: 0, because: '0 % on the candidate' },
  ownedBy: null,
  holder: null,
  nearby: [],
});

/** A cluster in which everything is as a spec needs it: its names are there, those of its candidate are free. */
export function factsFor(spec: ReleaseSpec): ClusterFacts {
  const { namespace, workloads, services, route, selectors } = releaseStrategyOf(spec).looks(spec);
  const images = 'images' in spec ? Object.keys(spec.images ?? {}) : [];
  const containers = workloadFacts('x').containers.flatMap((one) => images.map((name) => ({ ...one, name })));
  const free = (name: string): { uid: null } | object => (name.endsWith('-candidate') ? { uid: null } : {});
  // blue serves; a Service that is called like a side selects that one
  const selecting = (name: string) =>
    spec.strategy === 'blue-green'
      ? { selector: { [spec.slots.label]: name === spec.slots.green ? name : spec.slots.blue } }
      : {};
  const podLabels = (name: string) =>
    spec.strategy === 'blue-green' ? { podLabels: { [spec.slots.label]: name } } : {};
  return {
    workloads: workloads.map((name) =>
      workloadFacts(name, { namespace, containers, ...podLabels(name), ...free(name) }),
    ),
    services: services.map((name) => serviceFacts(namespace, name, { ...selecting(name), ...free(name) })),
    route: route === null ? null : routeFacts(),
    ...(selectors === undefined ? {} : { selectors: [] }),
  };
}

/** The plan of a release in such a cluster; throws what is against it. */
export function releasePlan(spec: ReleaseSpec): ReleasePlan {
  const made = planDeployment({
    environment: 'test',
    homeSchema: 'lakeshift',
    taskQueue: 'lakeshift',
    dialect: 'kubernetes',
    spec,
    facts: factsFor(spec),
  });
  if (!made.ok) throw new Error(JSON.stringify(made.problems));
  if (made.plan.dialect !== 'kubernetes') throw new TypeError('a release has become a plan of a table');
  return made.plan;
}
