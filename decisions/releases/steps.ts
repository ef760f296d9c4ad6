import type { Gate } from '../../contracts/gate.ts';
import type { ShiftStage, KeepStage } from '../../contracts/plan.ts';
import type { CanarySpec, StepSpec } from '../../contracts/release-spec.ts';
import type { Route } from '../../contracts/route.ts';
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
export const stepsOf = ({
  steps = usualSteps,
}: Pick<CanarySpec, 'steps'>): readonly (StepSpec & { readonly for: string })[] =>
  steps.map((step) => ({ for: usualFor, ...step }));

/** What steps are made of. */
type Stepped = Pick<CanarySpec, 'target' | 'steps' | 'checks' | 'dependencies' | 'every' | 'approve' | 'seen'>;

/** A workload, and its pods at 100 %. */
interface Pods {
  readonly candidate: WorkloadRef;
  readonly replicas: number;
}

/** A stage for each step. `pods`: the candidate's; null where nothing is scaled. */
export const shiftsOf = (spec: Stepped, route: Route, pods: Pods | null = null): readonly ShiftStage[] =>
  stepsOf(spec).map((step, index) => shiftOf(spec, step, index, route, pods));

/** The same, and the time after them; `candidate` with `replicas` pods at 100 %, or null where nothing is scaled. */
export function shifts(
  spec: CanarySpec,
  candidate: WorkloadRef | null,
  replicas: number,
): readonly (ShiftStage | KeepStage)[] {
  const steps = shiftsOf(spec, routeOf(spec), candidate === null ? null : { candidate, replicas });
  return [...steps, ...kept(ms(spec.keepOld ?? '0s'), 'the stable side', steps.at(-1))];
}

function shiftOf(
  spec: Stepped,
  step: StepSpec & { readonly for: string },
  index: number,
  route: Route,
  pods: Pods | null,
): ShiftStage {
  const { weight } = step;
  const gate = gateAt(weight, gateOf(step.checks ?? spec.checks));
  const needs = step.approve ?? (index === 0 ? (spec.approve ?? false) : false);
  return {
    kind: 'shift',
    name: `weight-${weight}`,
    title: `${weight} % on the candidate for ${formatDuration(ms(step.for))}${gateWords(gate)}`,
    undoTitle: 'everything to the stable side',
    approve: approval(needs),
    estimateMs: ms(step.for),
    route,
    weight,
    back: 0,
    scale: pods === null ? null : { workload: pods.candidate, replicas: podsFor(weight, pods.replicas) },
    seen: seenOf(spec.seen),
    forMs: ms(step.for),
    everyMs: ms(spec.every ?? usual.every),
    gate,
    onFail: answerOf(step.onFail),
    ...dependenciesOf(spec),
  };
}

/** At 100 % the stable side has nothing any more that the candidate could be compared with. */
function gateAt(weight: number, gate: Gate | null): Gate | null {
  if (weight < 100 || gate?.compares === undefined) return gate;
  const { compares: _, ...bounds } = gate;
  return bounds.checks.length === 0 ? null : bounds;
}

/** How many pods a share needs; whoever gets any needs one. */
export const podsFor = (weight: number, replicas: number): number => Math.max(1, Math.ceil((replicas * weight) / 100));

const answerOf = (onFail: StepSpec['onFail']): ShiftStage['onFail'] => {
  if (onFail === undefined || onFail === 'rollback' || onFail === 0) return 'rollback';
  return onFail === 'hold' ? 'hold' : { weight: onFail };
};
