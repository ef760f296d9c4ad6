import type { FieldProblem } from '../../contracts/api.ts';
import type { ClusterFacts } from '../../contracts/cluster-facts.ts';
import type { ReleasePlan } from '../../contracts/plan.ts';
import type {
  BlueGreenSpec,
  CanarySpec,
  ChecksSpec,
  RecreateSpec,
  ReleaseSpec,
  RollingSpec,
  ShadowSpec,
} from '../../contracts/release-spec.ts';
import type { RouteFacts } from '../../contracts/route.ts';
import type { ServiceFacts, WorkloadFacts } from '../../contracts/workload.ts';
import { planDeployment } from '../../decisions/plan-deployment.ts';

/** The plan of a release, or all that speaks against it. */
export function planRelease(
  spec: ReleaseSpec,
  facts: ClusterFacts,
  taskQueue = 'lakeshift',
): ReleasePlan | readonly FieldProblem[] {
  const service = { environment: 'test', taskQueue, homeSchema: 'lakeshift', dialect: 'kubernetes' } as const;
  const made = planDeployment({ ...service, spec, facts });
  if (!made.ok) return made.problems;
  if (made.plan.dialect !== 'kubernetes') throw new Error('the plan of a release is one of a table');
  return made.plan;
}

/** The plan of a release against which nothing speaks. */
export function releasePlan(spec: ReleaseSpec, facts: ClusterFacts, taskQueue?: string): ReleasePlan {
  const made = planRelease(spec, facts, taskQueue);
  if ('stages' in made) return made;
  throw new Error(JSON.stringify(made));
}

/** What is different about a rolling release of a story. */
export interface RollingWishes {
  readonly spec?: Partial<RollingSpec>;
  readonly facts?: Partial<WorkloadFacts>;
}

/** A plan of another image for three pods. */
export const rollingPlan = (taskQueue: string, { spec, facts }: RollingWishes = {}): ReleasePlan =>
  releasePlan(
    { ...rollingSpec, ...spec },
    { ...oneWorkload, workloads: oneWorkload.workloads.map((workload) => ({ ...workload, ...facts })) },
    taskQueue,
  );

/** Another image for three pods, some after the others. */
export const rollingSpec: RollingSpec = {
  name: 'checkout-4-2',
  strategy: 'rolling',
  target: 'k8s',
  workload: 'shop/checkout',
  images: { app: 'app:v2' },
};

/** The same with all at once. */
export const recreateSpec: RecreateSpec = {
  name: 'checkout-4-2',
  strategy: 'recreate',
  target: 'k8s',
  workload: 'shop/checkout',
  images: { app: 'app:v2' },
  accept: 'downtime',
};

/** Checks whose windows are judged at once: one of them decides. */
export const checks: ChecksSpec = {
  metrics: 'shop',
  requests: 'requests',
  errors: { query: 'errors', max: '1%' },
  fail: '1 of 1',
  window: '100ms',
  blindFor: '1h',
};

/** 5, 50 and 100 % behind a Service and an HTTPRoute, each at once. */
export const canarySpec: CanarySpec = {
  name: 'checkout-4-2',
  strategy: 'canary',
  target: 'k8s',
  workload: 'shop/checkout',
  service: 'checkout',
  images: { app: 'app:v2' },
  route: { via: 'gateway-api', name: 'checkout' },
  seen: { url: 'http://shop/', header: 'version', candidate: 'v2' },
  steps: [{ weight: 5 }, { weight: 50 }, { weight: 100 }].map((step) => ({ ...step, for: '200ms' })),
  every: '50ms',
};

/** From blue to green, with two good answers before. */
export const blueGreenSpec: BlueGreenSpec = {
  name: 'trino-440',
  strategy: 'blue-green',
  target: 'k8s',
  service: 'shop/trino',
  slots: { label: 'version', blue: 'trino-blue', green: 'trino-green' },
  images: { app: 'app:v2' },
  seen: { url: 'http://shop/', header: 'version', candidate: 'green' },
  validate: { probes: [{ http: 'http://green/' }], tries: 3, every: '20ms', needs: 2 },
  watch: { for: '200ms' },
  every: '50ms',
  keepOld: '200ms',
};

const nothingKnown = { ownedBy: null, holder: null, nearby: [] };

/** A Deployment of three pods. */
export const workloadFacts: WorkloadFacts = {
  kind: 'Deployment',
  namespace: 'shop',
  name: 'checkout',
  uid: '5b7e',
  replicas: 3,
  ready: 3,
  containers: [{ name: 'app', image: 'app:v1', drainSeconds: null, otherPreStop: false, hasReadiness: true }],
  rollout: {
    strategy: 'RollingUpdate',
    surge: '25%',
    unavailable: '25%',
    graceSeconds: 30,
    deadlineSeconds: 600,
    paused: false,
  },
  autoscalers: [],
  ...nothingKnown,
};

/** A Service that selects by one label. */
export const serviceFacts: ServiceFacts = {
  namespace: 'shop',
  name: 'checkout',
  uid: '77aa',
  selector: { app: 'checkout' },
  ...nothingKnown,
};

/** A route that sends everything to the stable side. */
export const routeFacts: RouteFacts = {
  object: { kind: 'HTTPRoute', namespace: 'shop', name: 'checkout', uid: '90ef' },
  state: { weight: 0, because: '0 % on the candidate' },
  ...nothingKnown,
};

/** What there is for a rollout. */
export const oneWorkload: ClusterFacts = { workloads: [workloadFacts], services: [], route: null };

/** What there is for a canary: nothing has the candidate's names yet. */
export const canaryFacts: ClusterFacts = {
  workloads: [
    { ...workloadFacts, replicas: 10, selector: { app: 'checkout' }, podLabels: { app: 'checkout' } },
    { ...workloadFacts, name: 'checkout-candidate', uid: null },
  ],
  services: [serviceFacts, { ...serviceFacts, name: 'checkout-candidate', uid: null }],
  route: routeFacts,
};

const slot = (side: string, replicas: number): WorkloadFacts => ({
  ...workloadFacts,
  name: `trino-${side}`,
  uid: side,
  replicas,
  podLabels: { app: 'trino', version: side },
});

/** What there is for a switch: blue serves, green has no pods. */
export const blueGreenFacts: ClusterFacts = {
  workloads: [slot('blue', 3), slot('green', 0)],
  services: [{ ...serviceFacts, name: 'trino', selector: { app: 'trino', version: 'blue' } }],
  route: null,
};

/** The same where the spec names Services of the sides and a route. */
const followUpFacts: ClusterFacts = {
  ...blueGreenFacts,
  services: [
    ...blueGreenFacts.services,
    ...['blue', 'green'].map((side) => ({ ...serviceFacts, name: `trino-${side}`, selector: { version: side } })),
  ],
  route: { ...routeFacts, object: { kind: 'HTTPRoute', namespace: 'shop', name: 'trino', uid: '90ef' } },
};

/** The plan of a canary that differs from the usual one of the stories. */
export const canaryPlan = (taskQueue: string, wishes: Partial<CanarySpec> = {}): ReleasePlan =>
  releasePlan({ ...canarySpec, ...wishes }, canaryFacts, taskQueue);

/** The plan of a switch that differs from the usual one of the stories. */
export const blueGreenPlan = (taskQueue: string, wishes: Partial<BlueGreenSpec> = {}): ReleasePlan =>
  releasePlan(
    { ...blueGreenSpec, ...wishes },
    wishes.running !== undefined && 'finishOn' in wishes.running ? followUpFacts : blueGreenFacts,
    taskQueue,
  );

/** The plan of a restart with downtime. */
export const recreatePlan = (taskQueue: string): ReleasePlan =>
  releasePlan({ ...recreateSpec, approve: 'platform' }, oneWorkload, taskQueue);

/** A candidate that answers what the stable side is asked. */
export const shadowSpec: ShadowSpec = {
  name: 'checkout-4-2',
  strategy: 'shadow',
  target: 'k8s',
  workload: 'shop/checkout',
  service: 'checkout',
  images: { app: 'app:v2' },
  writes: 'none',
  sides: { stable: 'http://checkout.shop.svc', candidate: 'http://checkout-candidate.shop.svc' },
  requests: { list: [{ method: 'GET', path: '/' }] },
};

/** The plan of a shadow that differs from the usual one of the stories. */
export const shadowPlan = (taskQueue: string, wishes: Partial<ShadowSpec> = {}): ReleasePlan =>
  releasePlan({ ...shadowSpec, ...wishes }, { ...canaryFacts, route: null, selectors: [] }, taskQueue);

/** The same, where nobody waits long between two looks at the traffic. */
export const lookingOften = (plan: ReleasePlan): ReleasePlan => ({
  ...plan,
  stages: plan.stages.map((stage) => (stage.kind === 'shift' ? { ...stage, looks: { most: 10, everyMs: 30 } } : stage)),
});
