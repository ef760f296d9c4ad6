import type { ShiftStage, Stage } from '../../contracts/plan.ts';
import type { WorkloadRef } from '../../contracts/workload.ts';

/**
 * The workload whose pods get the share of a stage: the one that is scaled for it, or, of a switch, the one that was
 * brought up before. Null: users are divided and not pods, or there is no share.
 */
export function sentTo(stages: readonly Stage[], { name, weight, scale }: ShiftStage): WorkloadRef | null {
  if (weight === 0) return null;
  if (scale !== null) return scale.workload;
  const before = stages.slice(
    0,
    stages.findIndex((stage) => stage.name === name),
  );
  const up = before.find((stage) => stage.kind === 'roll');
  return up === undefined ? null : refOf(up.workload);
}

const refOf = ({ kind, namespace, name }: WorkloadRef): WorkloadRef => ({ kind, namespace, name });
