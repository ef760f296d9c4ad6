/** Every name a caller may write or read. Unknown names are refused everywhere against these lists. */

/** How a deployment gets from the old shape to the new one. */
export const strategies = [
  'expand-contract',
  'rolling',
  'canary',
  'blue-green',
  'recreate',
  'release',
  'shadow',
  'model-canary',
] as const;
export type Strategy = (typeof strategies)[number];

/** The workflow type of each strategy: what Temporal lists them by. */
export const workflowTypes: Readonly<Record<Strategy, string>> = {
  'expand-contract': 'expandContract',
  rolling: 'rolling',
  canary: 'canary',
  'blue-green': 'blueGreen',
  recreate: 'recreate',
  release: 'release',
  shadow: 'shadow',
  'model-canary': 'modelCanary',
};

/** What a target is: a database of one SQL dialect, a cluster, or a registry of models. */
export const dialects = ['postgres', 'kubernetes', 'mlflow'] as const;
export type Dialect = (typeof dialects)[number];

/** What each strategy is done to. */
export const strategyDialects: Readonly<Record<Strategy, readonly Dialect[]>> = {
  'expand-contract': ['postgres'],
  rolling: ['kubernetes'],
  canary: ['kubernetes'],
  'blue-green': ['kubernetes'],
  recreate: ['kubernetes'],
  release: ['postgres', 'kubernetes'],
  shadow: ['kubernetes'],
  'model-canary': ['mlflow'],
};

/** The kinds of object in a cluster that we touch. */
export const objectKinds = [
  'Deployment',
  'StatefulSet',
  'Pod',
  'HorizontalPodAutoscaler',
  'Service',
  'ConfigMap',
  'HTTPRoute',
  'VirtualService',
  'DestinationRule',
] as const;
export type ObjectKind = (typeof objectKinds)[number];

/** The kinds of workload whose pods are replaced. */
export const workloadKinds = ['Deployment', 'StatefulSet'] as const satisfies readonly ObjectKind[];
export type WorkloadKind = (typeof workloadKinds)[number];

/** What divides the traffic between the stable side and the candidate. */
export const routers = ['gateway-api', 'istio', 'service', 'haproxy', 'nginx', 'flag'] as const;
export type RouterName = (typeof routers)[number];

/** The kinds of stage a plan may hold; those of an expand-contract in the order in which it has them. */
export const stageKinds = [
  'preflight',
  'expand',
  'backfill',
  'build',
  'verify',
  'cutover',
  'grace',
  'contract',
  'roll',
  'candidate',
  'validate',
  'shift',
  'keep',
  'drain',
  'retire',
  'scaling',
  'shadow',
  'alias',
] as const;
export type StageKind = (typeof stageKinds)[number];

/** What an operator may order. */
export const orderNames = [
  'pause',
  'resume',
  'approve',
  'reject',
  'abort',
  'rollback',
  'retry',
  'skip',
  'extend',
  'setRate',
] as const;
export type OrderName = (typeof orderNames)[number];

/** What a command can run in: a pod, or one of a workload's. */
export const execKinds = ['Deployment', 'StatefulSet', 'Pod'] as const;
export type ExecKind = (typeof execKinds)[number];

/** The one word people see. Derived by `decisions/phase.ts`, never stored as truth. */
export const phases = [
  'starting',
  'checking',
  'expanding',
  'backfilling',
  'building',
  'verifying',
  'waiting-for-proof',
  'waiting-for-approval',
  'cutting-over',
  'in-grace',
  'contracting',
  'rolling',
  'bringing-up',
  'validating',
  'shifting',
  'watching',
  'held',
  'comparing',
  'cleaning-up',
  'paused',
  'needs-attention',
  'rolling-back',
  'deployed',
  'rolled-back',
  'refused',
] as const;
export type Phase = (typeof phases)[number];

/** The phases in which a deployment has ended. */
export const endPhases = ['deployed', 'rolled-back', 'refused'] as const satisfies readonly Phase[];
export type EndPhase = (typeof endPhases)[number];

/** Whose form a finished change can be written in. */
export const exportForms = ['sql', 'flyway', 'liquibase', 'prisma', 'rails'] as const;
export type ExportForm = (typeof exportForms)[number];

/** What a caller of the API may do: look; order; approve. Each includes the one before. */
export const roles = ['viewer', 'operator', 'approver'] as const;
export type Role = (typeof roles)[number];

/** Who wins when one write sets both shapes and they disagree. After the cutover the new shape always leads. */
export const conflictPolicies = ['old-wins', 'new-wins'] as const;
export type ConflictPolicy = (typeof conflictPolicies)[number];

/** What happens to a write whose new value the old shape can't hold. */
export const misfitPolicies = ['count', 'refuse'] as const;
export type MisfitPolicy = (typeof misfitPolicies)[number];

/** What the application may feel of a cutover, and the spec's author accepts. */
export const acceptances = ['prepared-statement-errors'] as const;
export type Acceptance = (typeof acceptances)[number];

/** What happens when a stage is broken: stay and call a person, or take everything back. */
export const failurePolicies = ['park', 'rollback'] as const;
export type FailurePolicy = (typeof failurePolicies)[number];

/** How much a finding weighs. */
export const findingLevels = ['refused', 'warned', 'noted', 'unknown'] as const;
export type FindingLevel = (typeof findingLevels)[number];
