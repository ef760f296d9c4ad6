import type { JsonObject } from '../../contracts/json.ts';
import type { Finding, PlannedWorkload, RollStage } from '../../contracts/plan.ts';
import type { ContainerFacts, RolloutFacts, WorkloadFacts } from '../../contracts/workload.ts';
import { seconds } from './words.ts';

/** How pods are replaced. Times as a spec says them. */
export interface Replacing {
  readonly images: Readonly<Record<string, string>>;
  readonly surge: number | string;
  readonly unavailable: number | string;
  readonly grace: string;
  readonly drain: string;
  readonly deadline: string;
}

/** What is changed of a workload, in words. */
export const imageChanges = (
  { containers }: WorkloadFacts,
  images: Readonly<Record<string, string>>,
): readonly string[] =>
  containers.flatMap(({ name, image }) => {
    const to = images[name];
    return to === undefined || to === image ? [] : [`${name}: ${image} → ${to}`];
  });

/** The workload that a plan is made for; only asked of one that is there. */
export const plannedWorkload = ({ kind, namespace, name, uid }: WorkloadFacts): PlannedWorkload => ({
  kind,
  namespace,
  name,
  uid: uid ?? '',
});

/** What is applied to a Deployment to give it other images, and what takes that back: the same fields. */
export function replacement(facts: WorkloadFacts, how: Replacing): Pick<RollStage, 'apply' | 'back'> {
  const { apply, back } = templates(facts, how);
  return {
    apply: body({
      progressDeadlineSeconds: seconds(how.deadline),
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: how.surge, maxUnavailable: how.unavailable } },
      template: apply,
    }),
    back: body({
      progressDeadlineSeconds: facts.rollout.deadlineSeconds,
      strategy: before(facts.rollout),
      template: back,
    }),
  };
}

/** The pods' template as it becomes, and the same fields as they were. */
export function templates(
  facts: WorkloadFacts,
  how: Pick<Replacing, 'images' | 'grace' | 'drain'>,
): { readonly apply: JsonObject; readonly back: JsonObject } {
  const changed = facts.containers.filter(({ name }) => how.images[name] !== undefined);
  const drain = seconds(how.drain);
  // the server refuses a preStop that is longer
  const grace = Math.max(seconds(how.grace), facts.rollout.graceSeconds, drain);
  return {
    apply: template(
      changed.map((container) => after(container, how.images[container.name] ?? '', drain)),
      grace,
    ),
    back: template(changed.map(asItWas), facts.rollout.graceSeconds),
  };
}

/** The same with a number of pods: what is applied sets it, what takes that back sets the other one. */
export const withReplicas = (
  { apply, back }: Pick<RollStage, 'apply' | 'back'>,
  replicas: number,
  replicasBack: number,
): Pick<RollStage, 'apply' | 'back'> => ({ apply: counted(apply, replicas), back: counted(back, replicasBack) });

const counted = (applied: JsonObject, replicas: number): JsonObject => withFields(applied, { replicas });

/** The same with further, or other, fields of the workload's spec. */
export const withFields = (applied: JsonObject, fields: JsonObject): JsonObject => {
  const { spec } = applied;
  // made by `body`
  return { ...applied, spec: { ...(spec as JsonObject), ...fields } };
};

const template = (containers: readonly JsonObject[], graceSeconds: number): JsonObject => ({
  spec: { terminationGracePeriodSeconds: graceSeconds, containers: [...containers] },
});

const body = (spec: JsonObject): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  // a rollout that somebody has paused would never end; a pause of ours is taken back like this too
  spec: { paused: false, ...spec },
});

const before = ({ strategy, surge, unavailable }: RolloutFacts): JsonObject =>
  strategy === 'RollingUpdate'
    ? { type: strategy, rollingUpdate: { maxSurge: surge ?? '25%', maxUnavailable: unavailable ?? '25%' } }
    : { type: strategy };

/** Routers hear of a pod that goes only after it was told: until then it serves. */
const after = ({ name, otherPreStop, drainSeconds }: ContainerFacts, image: string, drain: number): JsonObject => ({
  name,
  image,
  ...(otherPreStop || drain === 0
    ? {}
    : { lifecycle: { preStop: { sleep: { seconds: Math.max(drain, drainSeconds ?? 0) } } } }),
});

const asItWas = ({ name, image, drainSeconds }: ContainerFacts): JsonObject => ({
  name,
  image,
  ...(drainSeconds === null ? {} : { lifecycle: { preStop: { sleep: { seconds: drainSeconds } } } }),
});

/** What is worth saying of a workload before its pods are replaced. */
export function workloadFindings(facts: WorkloadFacts, images: Readonly<Record<string, string>>): Finding[] {
  return [
    ...facts.containers
      .filter(({ hasReadiness }) => !hasReadiness)
      .map(({ name }): Finding => ({
        code: 'NO_READINESS',
        level: 'warned',
        detail: `container ${name} has no readiness probe: it is taken for ready as soon as it runs`,
      })),
    // of pods that run already nothing can be changed, and nobody else keeps them from ending at once
    ...facts.containers
      .filter(({ name, otherPreStop, drainSeconds }) => images[name] !== undefined && !otherPreStop && !drainSeconds)
      .map(({ name }): Finding => ({
        code: 'NO_DRAIN',
        level: 'warned',
        detail: `container ${name} has no preStop today: the pods of before lose requests unless they finish them by themselves`,
      })),
    ...(facts.replicas < 2
      ? [
          {
            code: 'ONE_REPLICA',
            level: 'warned',
            detail: `${facts.replicas} replicas: nothing stands in for a pod that goes`,
          } as const,
        ]
      : []),
  ];
}

/** Whether a pod may be taken for ready that is not. */
export const isBlind = ({ containers }: WorkloadFacts): boolean => containers.some(({ hasReadiness }) => !hasReadiness);
