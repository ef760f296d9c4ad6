import type { Failure } from '../contracts/failures.ts';
import type { Plan, Stage } from '../contracts/plan.ts';
import type { Outcome, Progress, StageProgress, StageState, Waiting } from '../contracts/progress.ts';

const emptyRecord: Omit<StageProgress, 'name'> = {
  state: 'pending',
  beganAt: null,
  endedAt: null,
  note: null,
  rows: null,
  totalRows: null,
};

/** Where a deployment is before anything has happened. `now` in epoch ms, as everywhere in this file. */
export const notStarted = (plan: Plan, now: number): Progress => ({
  direction: 'forward',
  at: 0,
  begun: 0,
  turn: 0,
  stages: plan.stages.map(({ name }) => ({ ...emptyRecord, name })),
  deadline: null,
  parked: null,
  waitingFor: null,
  verdict: null,
  because: null,
  wayBack: { verdict: 'lossless', rows: 0, because: 'nothing has been changed yet', since: now, lookedAt: now },
  findings: [],
  evidence: null,
  approvals: [],
  outcome: null,
  pass: null,
});

/** The stage that is being done or undone; null when only the end remains. */
export const currentStage = (plan: Plan, { at }: Progress): Stage | null => plan.stages[at] ?? null;

/** The stage that an order has to expect; at either end it is the one beside it. Null when the deployment has ended. */
export function expectedStage(plan: Plan, { at, outcome }: Progress): string | null {
  if (outcome !== null) return null;
  return plan.stages[Math.min(Math.max(at, 0), plan.stages.length - 1)]?.name ?? null;
}

/** What is known of the current stage; undefined when only the end remains. */
export const currentRecord = ({ at, stages }: Progress): StageProgress | undefined => stages[at];

/** The deployment has come to its current stage, and looks and waits there; nothing is touched yet. */
export const arrive = (progress: Progress, now: number): Progress =>
  record(progress, { state: 'running', beganAt: now });

/**
 * The current stage is about to touch the target: from here on its undo is owed.
 *
 * Begun, not done: an effect that timed out may well have happened.
 */
export const begin = (progress: Progress): Progress => ({
  ...progress,
  begun: Math.max(progress.begun, progress.at + 1),
});

/** True once the current stage may have touched the target. */
export const hasBegun = ({ begun, at }: Progress): boolean => begun > at;

/** The current stage is over; the next one is current. */
export const advance = (
  progress: Progress,
  now: number,
  note: string | null,
  state: Extract<StageState, 'done' | 'skipped'> = 'done',
): Progress => ({
  ...atRest(record(progress, { state, endedAt: now, note: note ?? currentRecord(progress)?.note ?? null })),
  at: progress.at + 1,
});

/** From here on everything that was begun is taken back, latest first. A stage that only waited has nothing to undo. */
export function turnBack(progress: Progress, because: string, now: number): Progress {
  const waited = progress.stages.map((stage, index) =>
    index >= progress.begun && stage.state === 'running' ? { ...stage, state: 'undone' as const, endedAt: now } : stage,
  );
  return {
    ...atRest(progress),
    ...answered(progress),
    direction: 'back',
    at: progress.begun - 1,
    because,
    stages: waited,
  };
}

/** Stages whose undo is still owed, latest first. */
export function undoOwed(plan: Plan, progress: Progress): readonly Stage[] {
  const last = progress.direction === 'back' ? progress.at + 1 : progress.begun;
  return plan.stages.slice(0, last).reverse();
}

/** The undo of the current stage is under way. */
export const beginUndo = (progress: Progress): Progress => record(progress, { state: 'undoing', endedAt: null });

/** The current stage is taken back; the one before it is current. */
export const endUndo = (progress: Progress, now: number): Progress => ({
  ...atRest(record(progress, { state: 'undone', endedAt: now })),
  at: progress.at - 1,
});

/** A person has to look: nothing goes on until `retry`. */
export const park = (progress: Progress, failure: Failure): Progress => ({
  ...progress,
  parked: failure,
  waitingFor: null,
  busy: null,
});

/**
 * The parked stage is tried again from its start: a row check makes a new pass. Fenced off, the workflow was set back
 * to an earlier point: its turns leap over all those that the target may have seen since.
 */
const unpark = (progress: Progress): Progress => ({
  ...progress,
  ...answered(progress),
  turn: progress.turn + (progress.parked?.code === 'FENCED' ? 1_000_000 : 0),
  parked: null,
  pass: null,
});

/** The parked deployment goes on: from an earlier stage where that one mends what was found, or else where it is. */
export function retry(plan: Plan, progress: Progress): Progress {
  const from = plan.stages.findIndex(({ name }) => name === mendingStage(plan, progress));
  const free = unpark(progress);
  if (from < 0) return free;
  const stages = free.stages.map((stage, index) =>
    index < from || index > free.at ? stage : { ...emptyRecord, name: stage.name },
  );
  return { ...atRest(free), at: from, stages };
}

/** Rows that differ are mended before the new shape leads; from then on the old one is no measure. */
function mendingStage(plan: Plan, progress: Progress): string | undefined {
  const stage = currentStage(plan, progress);
  if (stage === null || !('retryFrom' in stage)) return undefined;
  const oldLeads = progress.direction === 'forward' && !(stage.kind === 'cutover' && hasBegun(progress));
  return oldLeads && progress.parked?.code === 'VERIFY_DIFFERS' ? stage.retryFrom : undefined;
}

/** What a person has said by going on from where the deployment was parked. */
const answered = ({ parked }: Progress): Pick<Progress, 'claimGone'> =>
  parked?.code === 'CLAIM_GONE' ? { claimGone: true } : {};

/** True when a failure says what a person knows and has answered already: there is no claim, so nothing is owed. */
export const owesNothing = ({ claimGone }: Progress, { code }: Failure): boolean =>
  claimGone === true && code === 'CLAIM_GONE';

/** The turn was not possible now and is tried again; null: it was. */
export const beBusy = (progress: Progress, busy: Failure | null): Progress => ({ ...progress, busy });

/** Each effect has its own turn; the target refuses one that is older than the latest it has seen. */
export const raiseTurn = (progress: Progress): Progress => ({ ...progress, turn: progress.turn + 1 });

/** Says for what besides time the deployment waits; null: for nothing. */
export const waitFor = (progress: Progress, waitingFor: Waiting | null): Progress => ({ ...progress, waitingFor });

/** Says until when (epoch ms) the current stage waits. */
export const waitUntil = (progress: Progress, deadline: number): Progress => ({ ...progress, deadline });

/** Remembers the pass of a row check that is not finished; null: it is finished. */
export const inPass = (progress: Progress, pass: string | null): Progress => ({ ...progress, pass });

/** How many rows the current stage has done, of how many. */
export const countRows = (progress: Progress, rows: number, totalRows: number | null): Progress =>
  record(progress, { rows, totalRows });

/** The deployment is over. */
export const end = (progress: Progress, outcome: Outcome): Progress => ({ ...progress, busy: null, outcome });

/** True once a stage without an undo has begun: from there on one can only go forward. */
export const pastNoReturn = (plan: Plan, { begun }: Progress): boolean =>
  plan.stages.slice(0, begun).some(({ undoTitle }) => undoTitle === null);

/** How much is done, in whole percent; stages weigh the same, and the current one counts by its rows. */
export function percentOf({ stages }: Progress): number {
  const done = stages.reduce((sum, stage) => sum + shareOf(stage), 0);
  return stages.length === 0 ? 0 : Math.floor((100 * done) / stages.length);
}

function shareOf({ state, rows, totalRows }: StageProgress): number {
  if (state === 'done' || state === 'skipped') return 1;
  if (state !== 'running' || rows === null || totalRows === null || totalRows === 0) return 0;
  return Math.min(rows / totalRows, 1);
}

const atRest = (progress: Progress): Progress => ({
  ...progress,
  deadline: null,
  parked: null,
  waitingFor: null,
  pass: null,
  busy: null,
  ...((progress.fallback ?? null) === null ? {} : { fallback: null }),
});

const record = (progress: Progress, change: Partial<StageProgress>): Progress => ({
  ...progress,
  stages: progress.stages.map((stage, index) => (index === progress.at ? { ...stage, ...change } : stage)),
});
