import type { ShiftStage, KeepStage } from '../../contracts/plan.ts';
import type { CanarySpec, StepSpec } from '../../contracts/release-spec.ts';
import type { WorkloadRef } from '../../contracts/workload.ts';
import { formatDuration } from '../duration.ts';
import { dependenciesOf } from './dependencies.ts';
import { gateOf, gateWords } from './gates.ts';
import { kept } from './keep.ts';
import { routeOf, seenOf } from './routes.ts';
import { approval, ms, usual } from './words.ts';

/** Where a spec names no steps. */
const usualSteps: readonly StepSpec[] = [{ weight: 5 }, { weight: 25 }, { weight: 50 }, { weight: 100 }];
const usualFor = '10m';

/** The steps of a canary, each with its time. */
export const stepsOf = ({ steps = usualSteps }: CanarySpec): readonly (StepSpec & { readonly for: string })[] =>
  steps.map((step) => ({ for: usualFor, ...step }));

/** A stage for each step; `candidate` with `replicas` pods at 100 %, or null where nothing is scaled. */
export function shifts(
  spec: CanarySpec,
  candidate: WorkloadRef | null,
  replicas: number,
): readonly (ShiftStage | KeepStage)[] {
  const steps = stepsOf(spec).map((step, index) => shiftOf(spec, step, index, candidate, replicas));
  return [...steps, ...kept(ms(spec.keepOld ?? '0s'), 'the stable side', steps.at(-1))];
}

function shiftOf(
  spec: CanarySpec,
  step: StepSpec & { readonly for: string },
  index: number,
  candidate: WorkloadRef | null,
  replicas: number,
): ShiftStage {
  const gate = gateOf(step.checks ?? spec.checks);
  const { weight } = step;
  const needs = step.approve ?? (index === 0 ? (spec.approve ?? false) : false);
  return {
    kind: 'shift',
    name: `weight-${weight}`,
    title: `${weight} % on the candidate for ${formatDuration(ms(step.for))}${gateWords(gate)}`,
    undoTitle: 'everything to the stable side',
    approve: approval(needs),
    estimateMs: ms(step.for),
    route: routeOf(spec),
    weight,
    back: 0,
    scale: candidate === null ? null : { workload: candidate, replicas: podsFor(weight, replicas) },
    seen: seenOf(spec.seen),
    forMs: ms(step.for),
    everyMs: ms(spec.every ?? usual.every),
    gate,
    onFail: answerOf(step.onFail),
    ...dependenciesOf(spec),
  };
}

/** How many pods a share needs; whoever gets any needs one. */
export const podsFor = (weight: number, replicas: number): number => Math.max(1, Math.ceil((replicas * weight) / 100));

const answerOf = (onFail: StepSpec['onFail']): ShiftStage['onFail'] => {
  if (onFail === undefined || onFail === 'rollback' || onFail === 0) return 'rollback';
  return onFail === 'hold' ? 'hold' : { weight: onFail };
};
