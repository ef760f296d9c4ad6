import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { Failure } from '../contracts/failures.ts';
import type { Stage } from '../contracts/plan.ts';
import type { Waiting } from '../contracts/progress.ts';
import { approvalsMissing, isApproved, shownEvidence } from '../decisions/approvals.ts';
import { answerTo } from '../decisions/failure-answer.ts';
import { endPhaseOf } from '../decisions/phase.ts';
import * as progress from '../decisions/progress.ts';
import { raiseFence, release } from './activities.ts';
import { failureOf } from './failure-of.ts';
import type { Run } from './run.ts';
import { runnerOf } from './stages/index.ts';
import { again, type Turn } from './stages/stage.ts';

/** One go at whatever comes next. It ends when there is something new to decide; each end is a safe point. */
export async function turn(run: Run): Promise<void> {
  const order = run.pending;
  if (order !== null) {
    goBack(run, `${order.order} by ${order.actor.name}: ${order.reason}`);
    return;
  }
  return next(run);
}

async function next(run: Run): Promise<void> {
  if (run.progress.parked !== null) return run.until(() => run.progress.parked === null, null, '');
  const stage = run.stage();
  if (stage === null) return close(run);
  if (run.progress.direction === 'back') return undo(run, stage);
  // What waits for time goes on looking while it is paused; it only does not end.
  if (run.desk.paused && !looksOn(stage, run)) return run.until(() => !run.desk.paused, null, '');
  return forward(run, stage);
}

const looksOn = ({ kind }: Stage, { progress: { deadline, fallback = null } }: Run): boolean =>
  kind === 'grace' || fallback !== null || ((kind === 'shift' || kind === 'keep') && deadline !== null);

async function forward(run: Run, stage: Stage): Promise<void> {
  if (progress.currentRecord(run.progress)?.state === 'pending') {
    run.update(progress.arrive(run.progress, Date.now()));
    run.note('stage-began', `${stage.name} began: ${stage.title}`, { kind: stage.kind });
  }
  conclude(run, stage, await interruptible(run, () => attempt(run, stage)));
}

/** Runs a turn to its end, unless an abort comes: then nobody waits for its activities, whose worker may be dead. */
async function interruptible(run: Run, work: () => Promise<Turn>): Promise<Turn> {
  const scope = new CancellationScope();
  const watch = new CancellationScope();
  const working = scope.run(work).catch(failed);
  const aborted = watch.run(() => condition(() => run.aborted)).then(() => again);
  const ended = await Promise.race([working, aborted]);
  watch.cancel();
  scope.cancel();
  return ended;
}

async function attempt(run: Run, stage: Stage): Promise<Turn> {
  const runner = runnerOf(stage);
  if (!progress.hasBegun(run.progress)) {
    const early = runner.prepare === null ? null : await runner.prepare(stage, run);
    if (early !== null) return early;
    if (!isApproved(run.plan, run.progress, stage)) return waitForApproval(run, stage);
    // Checked without a pause before the undo is owed: an order that was taken until here finds nothing begun.
    if (run.givesWay) return again;
    run.update(progress.begin(progress.waitFor(run.progress, null)));
  }
  return runner.perform(stage, run);
}

async function waitForApproval(run: Run, stage: Stage): Promise<Turn> {
  const missing = approvalsMissing(run.plan, run.progress, stage);
  const waiting = approvalWait(run, stage, missing);
  if (run.progress.waitingFor?.detail !== waiting.detail) {
    run.update(progress.waitFor(run.progress, waiting));
    const evidenceHash = shownEvidence(run.progress, stage.name);
    run.note('waiting', `waits for ${waiting.detail}`, {
      what: 'approval',
      planHash: run.plan.hash,
      evidenceHash,
      missing,
    });
  }
  // An approval that is not the last one changes what is waited for, and ends the turn too.
  const changed = (): boolean => approvalsMissing(run.plan, run.progress, stage) !== missing;
  await run.until(() => changed() || run.desk.paused, null, '');
  if (isApproved(run.plan, run.progress, stage)) run.update(progress.waitFor(run.progress, null));
  return again;
}

function approvalWait(run: Run, stage: Stage, missing: number): Waiting {
  const group = stage.approve?.group ?? null;
  const hash = shownEvidence(run.progress, stage.name);
  const from = group === null ? '' : ` of ${group}`;
  const on = hash === null ? '' : `, on evidence ${hash.slice(0, 12)}`;
  return { what: 'approval', stage: stage.name, detail: `${missing} approval${missing === 1 ? '' : 's'}${from}${on}` };
}

function conclude(run: Run, stage: Stage, turn: Turn): void {
  switch (turn.next) {
    case 'again':
      calm(run);
      run.clerk.flush();
      break;
    case 'promote':
      promote(run, stage, turn);
      break;
    case 'park':
      park(run, turn.failure);
      break;
    case 'fail':
      fail(run, stage, turn.failure);
      break;
    case 'refuse':
    case 'back':
      goBack(run, turn.because);
      break;
  }
}

function promote(
  run: Run,
  stage: Stage,
  { note, skipped = false, data = {} }: Extract<Turn, { next: 'promote' }>,
): void {
  run.note('stage-ended', `${stage.name} ended: ${note}`, data);
  run.update(progress.advance(run.progress, Date.now(), note, skipped ? 'skipped' : 'done'));
}

function fail(run: Run, stage: Stage, failure: Failure): void {
  if (progress.owesNothing(run.progress, failure) && progress.pastNoReturn(run.plan, run.progress)) {
    promote(run, stage, { next: 'promote', note: 'its claim is gone: somebody has finished it by hand' });
    return;
  }
  const answer = answerTo(run.plan, run.progress, failure);
  if (answer === 'rollback') goBack(run, `${stage.name} failed: ${failure.code} ${failure.detail}`);
  else if (answer === 'park') park(run, failure);
  else tryAgain(run, failure);
}

/** Nobody has to do anything about what is busy; it is only said, once. */
function tryAgain(run: Run, failure: Failure): void {
  const before = run.progress.busy ?? null;
  run.update(progress.beBusy(run.progress, failure));
  if (before?.code !== failure.code)
    run.note('waiting', `tries again: ${failure.code} ${failure.detail}`, { ...failure });
}

function calm(run: Run): void {
  if ((run.progress.busy ?? null) !== null) run.update(progress.beBusy(run.progress, null));
}

function park(run: Run, failure: Failure): void {
  run.update(progress.park(run.progress, failure));
  run.note('parked', `needs attention: ${failure.code} ${failure.detail}`, { ...failure });
}

/** From here on everything that was begun is taken back. The order that asked for it is carried out by that. */
function goBack(run: Run, because: string): void {
  run.clearDesk();
  const verdict = { decision: 'rollback', because } as const;
  run.note('verdict', `going back: ${because}`, verdict);
  run.update({ ...progress.turnBack(run.progress, because, Date.now()), verdict });
}

async function undo(run: Run, stage: Stage): Promise<void> {
  const runner = runnerOf(stage);
  if (progress.currentRecord(run.progress)?.state !== 'undoing') {
    run.update(progress.beginUndo(run.progress));
    run.note('undo-began', `undo of ${stage.name}: ${stage.undoTitle ?? 'nothing to take back'}`);
  }
  try {
    if (runner.undo !== null) {
      await raiseFence(`undo ${stage.name}: stop what still runs`, { site: run.effect() });
      await runner.undo(stage, run);
    }
  } catch (error) {
    const failure = known(error);
    if (!progress.owesNothing(run.progress, failure)) {
      notUndone(run, failure);
      return;
    }
    run.note('finding', `${stage.name}: nothing was undone, the claim is gone`, { ...failure });
  }
  run.note('undo-ended', `undo of ${stage.name} ended`);
  run.update(progress.endUndo(run.progress, Date.now()));
}

/** Taking back never gives up by itself: what is busy is tried again, all else parks. */
function notUndone(run: Run, failure: Failure): void {
  if (answerTo(run.plan, run.progress, failure) === 'again') tryAgain(run, failure);
  else park(run, failure);
}

/** The lock goes back last, in either direction: until then nobody else may touch what we touched. */
async function close(run: Run): Promise<void> {
  try {
    for (const part of run.parts) await release('give back what was held', { site: run.effect(part) });
  } catch (error) {
    notUndone(run, known(error));
    return;
  }
  const phase = endPhaseOf(run.progress);
  const because = run.progress.because ?? 'all stages are done';
  const outcome = { phase, because, at: Date.now() };
  run.note('ended', `${phase}: ${because}`, outcome);
  run.update(progress.end(run.progress, outcome));
}

/** A turn that throws has its end too; a cancelled one was interrupted by an order, which comes next. */
function failed(error: unknown): Turn {
  if (isCancellation(error)) return again;
  return { next: 'fail', failure: known(error) };
}

function known(error: unknown): Failure {
  const failure = failureOf(error);
  if (failure === null) throw error;
  return failure;
}
