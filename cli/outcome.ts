import { phases, type Phase, type StageKind } from '../contracts/catalog.ts';
import type { Status } from '../contracts/progress.ts';
import type { ExitName } from './exit-codes.ts';
import { Refused } from './failure.ts';

/** How long a command stays with a deployment. */
export type Patience =
  /** Until it has ended. */
  | { readonly kind: 'end' }
  /** Until it has ended or needs a person. */
  | { readonly kind: 'person' }
  /** The same, or until it has reached a stage or a phase. */
  | { readonly kind: 'reached'; readonly place: string };

/** The exit of a command that stays with a deployment; null: it stays on. */
export function exitOf(status: Status, patience: Patience): ExitName | null {
  if (patience.kind === 'reached' && hasReached(status, patience.place)) return 'ok';
  return ended[status.phase] ?? (patience.kind === 'end' ? null : (needsPerson[status.phase] ?? null));
}

/** Refuses a place that this deployment never comes to, with those it does. */
export function checkPlace(status: Status, place: string): void {
  const stages = status.progress.stages.map(({ name }) => name);
  if (stages.includes(place) || phases.some((phase) => phase === place)) return;
  throw new Refused(
    `there is no stage or phase ${place}; stages are ${stages.join(', ')}; phases are ${phases.join(', ')}`,
  );
}

const ended: Readonly<Partial<Record<Phase, ExitName>>> = {
  deployed: 'ok',
  'rolled-back': 'rolledBack',
  refused: 'refused',
};

const needsPerson: Readonly<Partial<Record<Phase, ExitName>>> = {
  'waiting-for-approval': 'waiting',
  paused: 'waiting',
  'needs-attention': 'attention',
};

/** The stages that phases are about: a quick stage may be over before anybody saw its phase. */
const stageOfPhase: Readonly<Partial<Record<Phase, StageKind>>> = {
  checking: 'preflight',
  expanding: 'expand',
  backfilling: 'backfill',
  building: 'build',
  verifying: 'verify',
  'cutting-over': 'cutover',
  'in-grace': 'grace',
  contracting: 'contract',
};

/** At the stage or past it, on the way forward; or in the phase. */
function hasReached({ phase, progress }: Status, place: string): boolean {
  if (phase === place) return true;
  const name = phases.some((known) => known === place) ? stageOfPhase[place as Phase] : place; // it was found among the phases
  const index = progress.stages.findIndex((stage) => stage.name === name);
  if (index < 0 || progress.direction === 'back') return false;
  // Waiting at a stage for an approval counts as reached; its phase does not, until it runs.
  return name === place ? progress.at >= index : progress.at > index;
}
