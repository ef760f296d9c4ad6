import type { FieldProblem } from '../../contracts/api.ts';
import type { JsonObject } from '../../contracts/json.ts';
import type { KeepStage, RollStage, Stage } from '../../contracts/plan.ts';
import type { BatchesSpec, RollingSpec } from '../../contracts/release-spec.ts';
import type { WorkloadFacts } from '../../contracts/workload.ts';
import { validation } from './probes.ts';
import { imageChanges, plannedWorkload, replacement, templates, withFields } from './template.ts';
import { approval, ms, timesOf } from './words.ts';

/** So many batches can be looked over in a plan. */
const mostBatches = 50;

/**
 * A readiness that no pod reaches while we are there: the Deployment's controller then never takes a new pod for
 * available, and can't go on by itself. The server wants the deadline above it; the highest one means none.
 */
const neverAvailable = { minReadySeconds: 2_147_483_646, progressDeadlineSeconds: 2_147_483_647 } as const;

/** The batches of a spec for its workload; null: Kubernetes itself goes through all its pods. */
export function batchesOf(spec: RollingSpec, facts: WorkloadFacts): BatchesSpec | null {
  const { replicas } = facts;
  if (facts.kind === 'StatefulSet') return spec.batches ?? { size: Math.max(1, Math.ceil(replicas / mostBatches)) };
  // pods of an unchanged template would be made unavailable, all at once
  return imageChanges(facts, spec.images).length === 0 ? null : (spec.batches ?? null);
}

/** How many pods are new at the end of each batch. */
function endsOf({ size }: BatchesSpec, replicas: number): readonly number[] {
  const each = Math.max(1, typeof size === 'number' ? size : Math.ceil((replicas * Number(size.slice(0, -1))) / 100));
  const count = Math.max(1, Math.ceil(replicas / each));
  return Array.from({ length: count }, (_, index) => Math.min(replicas, each * (index + 1)));
}

/** What speaks against so many parts. */
export function batchProblems(spec: RollingSpec, facts: WorkloadFacts): readonly FieldProblem[] {
  const batches = batchesOf(spec, facts);
  if (batches === null) return [];
  const { length } = endsOf(batches, facts.replicas);
  if (length <= mostBatches) return [];
  const detail = `${facts.replicas} pods in batches of ${batches.size} are ${length} batches: at most ${mostBatches}`;
  return [{ pointer: '/batches/size', detail }];
}

/** A stage for each batch, with what has to answer after it and the pause before the next. */
export function batchStages(spec: RollingSpec, facts: WorkloadFacts, batches: BatchesSpec): readonly Stage[] {
  const ends = endsOf(batches, facts.replicas);
  return ends.flatMap((_, index) => [
    batchStage(spec, facts, ends, index),
    ...between(batches, index + 1, ends.length, spec.target),
  ]);
}

function batchStage(spec: RollingSpec, facts: WorkloadFacts, ends: readonly number[], index: number): RollStage {
  const pods = ends[index] ?? facts.replicas;
  const isLast = index === ends.length - 1;
  const words = imageChanges(facts, spec.images).join(', ') || 'the images are these already';
  const made = facts.kind === 'Deployment' ? ofDeployment(spec, facts, ends, index) : ofSet(spec, facts, pods);
  return {
    kind: 'roll',
    name: `batch-${index + 1}`,
    title: `${pods} of ${facts.replicas} pods: ${words}`,
    undoTitle: 'the pods of before, in the same way',
    approve: approval(index === 0 ? (spec.approve ?? false) : false),
    estimateMs: null,
    workload: plannedWorkload(facts),
    ...made,
    // the last one of a Deployment is its own rollout again, with its own deadline
    ...(isLast && facts.kind === 'Deployment' ? {} : { batch: { pods, deadlineMs: ms(timesOf(spec).deadline) } }),
  };
}

/**
 * With new pods that never count as available, so many may be surplus and so many missing that the new ones are exactly
 * those of the batches so far: `surge` more than wanted, and of the old ones as many less as new ones were judged before.
 */
function ofDeployment(
  spec: RollingSpec,
  facts: WorkloadFacts,
  ends: readonly number[],
  index: number,
): Pick<RollStage, 'apply' | 'back'> {
  const surge = ends[0] ?? 1;
  const { minReadySeconds = 0 } = facts.rollout;
  const how = { images: spec.images, surge, unavailable: 0, ...timesOf(spec) };
  const { apply, back } = replacement(facts, how);
  if (index === ends.length - 1)
    return { apply: withFields(apply, { minReadySeconds }), back: withFields(back, { minReadySeconds }) };
  const rollingUpdate = { maxSurge: surge, maxUnavailable: ends[index - 1] ?? 0 };
  return {
    apply: withFields(apply, { ...neverAvailable, strategy: { type: 'RollingUpdate', rollingUpdate } }),
    back: withFields(back, { minReadySeconds }),
  };
}

/** Pods of a lower number than the partition stay as they are. */
function ofSet(spec: RollingSpec, facts: WorkloadFacts, pods: number): Pick<RollStage, 'apply' | 'back'> {
  const { apply, back } = templates(facts, { images: spec.images, ...timesOf(spec) });
  return {
    apply: setBody(apply, facts.replicas - pods),
    back: setBody(back, facts.rollout.partition ?? 0),
  };
}

const setBody = (template: JsonObject, partition: number): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  spec: { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition } }, template },
});

function between(
  { validate, pause = '0s' }: BatchesSpec,
  number: number,
  count: number,
  target: string,
): readonly Stage[] {
  const asked = validate === undefined ? [] : [{ ...validation(validate, 'it', target), name: `validate-${number}` }];
  if (number === count || ms(pause) === 0) return asked;
  const waited: KeepStage = {
    kind: 'keep',
    name: `pause-${number}`,
    title: `${pause} until the next batch`,
    undoTitle: 'nothing to take back',
    approve: null,
    estimateMs: ms(pause),
    forMs: ms(pause),
  };
  return [...asked, waited];
}
