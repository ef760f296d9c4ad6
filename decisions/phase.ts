import type { EndPhase, Phase, StageKind } from '../contracts/catalog.ts';
import type { Plan, Stage } from '../contracts/plan.ts';
import type { Progress, Waiting } from '../contracts/progress.ts';
import { currentStage } from './progress.ts';

/** The one word people see. What a person has to know comes first: an end, a call for help, the direction, a pause. */
export const phaseOf = (plan: Plan, progress: Progress, paused: boolean): Phase =>
  progress.outcome?.phase ?? halted(progress, paused) ?? moving(plan, progress);

function halted({ parked, direction, waitingFor }: Progress, paused: boolean): Phase | null {
  if (parked !== null) return 'needs-attention';
  if (direction === 'back') return 'rolling-back';
  if (paused) return 'paused';
  return waitingFor === null ? null : ofWaiting[waitingFor.what];
}

function moving(plan: Plan, progress: Progress): Phase {
  if (progress.at === 0 && progress.stages[0]?.state === 'pending') return 'starting';
  // When all stages are done only the lock has to be given back: that belongs to the last one.
  const stage = currentStage(plan, progress) ?? plan.stages.at(-1);
  if (stage === undefined) return 'starting';
  return ofStage(stage, progress);
}

function ofStage(stage: Stage, { deadline, fallback = null }: Progress): Phase {
  if (stage.kind === 'scaling' && !stage.held) return 'cleaning-up';
  if (fallback !== null) return 'held';
  // the traffic has moved; what is left is time
  return stage.kind === 'shift' && deadline !== null ? 'watching' : ofKind[stage.kind];
}

/** How a deployment ends that has gone its way: forward, back, or back because the preflight refused it. */
export function endPhaseOf({ direction, findings }: Progress): EndPhase {
  if (direction === 'forward') return 'deployed';
  return findings.some(({ level }) => level === 'refused') ? 'refused' : 'rolled-back';
}

const ofWaiting: Readonly<Record<Waiting['what'], Phase>> = {
  approval: 'waiting-for-approval',
  proof: 'waiting-for-proof',
};

const ofKind: Readonly<Record<StageKind, Phase>> = {
  preflight: 'checking',
  expand: 'expanding',
  backfill: 'backfilling',
  build: 'building',
  verify: 'verifying',
  cutover: 'cutting-over',
  grace: 'in-grace',
  contract: 'contracting',
  roll: 'rolling',
  candidate: 'bringing-up',
  validate: 'validating',
  shift: 'shifting',
  keep: 'in-grace',
  drain: 'in-grace',
  retire: 'cleaning-up',
  scaling: 'bringing-up',
  shadow: 'comparing',
  alias: 'cutting-over',
};
