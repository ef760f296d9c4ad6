import type { ApprovalNeed } from '../../contracts/approval-need.ts';
import type { JsonObject } from '../../contracts/json.ts';
import type { Finding, RollStage } from '../../contracts/plan.ts';
import type { ContainerFacts } from '../../contracts/workload.ts';
import { parseDuration } from '../duration.ts';
import type { StagesAndRisk, WorkloadInput } from './strategy.ts';

/** What a rollout is where the spec says nothing; of time, seconds. */
const usual = { surge: 2, unavailable: 1, grace: 300, drain: 10, deadline: 600 };

/** Pods of another image, a few at a time, as Kubernetes rolls a Deployment out; stuck, it goes back. */
export function rolling(input: WorkloadInput): StagesAndRisk {
  const { spec, facts } = input;
  const changes = facts.containers.flatMap(({ name, image }) => {
    const to = spec.images[name];
    return to === undefined || to === image ? [] : [`${name}: ${image} → ${to}`];
  });
  const unsafe = facts.containers.some(({ hasReadiness }) => !hasReadiness);
  return {
    stages: [roll(input, changes)],
    changes: changes.map((change) => ({ change, class: 'safe', because: 'old pods serve until new ones are ready' })),
    findings: findings(input),
    risk: { level: unsafe ? 'medium' : 'low', because: unsafe ? ['a container without a readiness probe'] : [] },
    estimate: { workMs: null, graceMs: 0, rows: null },
  };
}

function roll({ spec, facts, object }: WorkloadInput, changes: readonly string[]): RollStage {
  const changed = facts.containers.filter(({ name }) => spec.images[name] !== undefined);
  const { surge = usual.surge, unavailable = usual.unavailable } = spec;
  const template = (containers: JsonObject[], graceSeconds: number) => ({
    spec: { terminationGracePeriodSeconds: graceSeconds, containers },
  });
  return {
    kind: 'roll',
    name: 'roll',
    title: changes.length === 0 ? 'the images are these already' : changes.join(', '),
    undoTitle: 'the pods of before, in the same way',
    approve: approval(spec.approve ?? false),
    estimateMs: null,
    workload: object,
    apply: body({
      progressDeadlineSeconds: seconds(spec.deadline, usual.deadline),
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } },
      template: template(
        changed.map((container) =>
          after(container, spec.images[container.name] ?? '', seconds(spec.drain, usual.drain)),
        ),
        // the server refuses a preStop that is longer
        Math.max(seconds(spec.grace, usual.grace), facts.rollout.graceSeconds, seconds(spec.drain, usual.drain)),
      ),
    }),
    back: body({
      progressDeadlineSeconds: facts.rollout.deadlineSeconds,
      strategy: before(facts.rollout),
      template: template(changed.map(asItWas), facts.rollout.graceSeconds),
    }),
  };
}

const body = (spec: JsonObject): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  // a rollout that somebody has paused would never end; a pause of ours is taken back like this too
  spec: { paused: false, ...spec },
});

const before = ({ strategy, surge, unavailable }: WorkloadInput['facts']['rollout']): JsonObject =>
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

function findings({ spec, facts }: WorkloadInput): Finding[] {
  return [
    // of pods that run already nothing can be changed, and nobody else keeps them from ending at once
    ...facts.containers
      .filter(
        ({ name, otherPreStop, drainSeconds }) => spec.images[name] !== undefined && !otherPreStop && !drainSeconds,
      )
      .map(({ name }): Finding => ({
        code: 'NO_DRAIN',
        level: 'warned',
        detail: `container ${name} has no preStop today: the pods of before lose requests unless they finish them by themselves`,
      })),
    ...facts.containers
      .filter(({ hasReadiness }) => !hasReadiness)
      .map(({ name }): Finding => ({
        code: 'NO_READINESS',
        level: 'warned',
        detail: `container ${name} has no readiness probe: it is taken for ready as soon as it runs`,
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

const seconds = (text: string | undefined, otherwise: number): number => {
  const ms = text === undefined ? null : parseDuration(text);
  return ms === null ? otherwise : Math.round(ms / 1_000);
};

const approval = (approve: boolean | string): ApprovalNeed | null =>
  approve === false ? null : { group: approve === true ? null : approve, count: 1, notByAuthor: false };
