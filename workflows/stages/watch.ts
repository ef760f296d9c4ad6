import type { WatchFacts } from '../../contracts/activities.ts';
import type { Gate, Verdict } from '../../contracts/gate.ts';
import type { ShiftStage } from '../../contracts/plan.ts';
import { judgeWindows } from '../../decisions/judge-windows.ts';
import { driftOf, questionOf } from '../../decisions/models/drift.ts';
import { currentRecord } from '../../decisions/progress.ts';
import {
  anew,
  called,
  doubtOf,
  isContended,
  looked,
  mayEnd,
  nextLookMs,
  repaired,
  routed,
  unlooked,
} from '../../decisions/traffic.ts';
import { watchTraffic } from '../activities.ts';
import { failureOf } from '../failure-of.ts';
import type { Run } from '../run.ts';
import { unless } from '../unless.ts';
import { route } from './route.ts';
import { again, park, promote, type Turn } from './stage.ts';

/** One look at a share that is in place: at the route, at the checks, at the clock. */
export async function watch(stage: ShiftStage, run: Run): Promise<Turn> {
  if (!run.desk.paused && mayEnd(stage, run.progress, Date.now())) return ended(stage, run);
  const facts = await look(stage, run);
  if (facts === null) return again;
  return moved(stage, facts, run) ?? (await repair(stage, facts, run)) ?? judged(stage, facts, run);
}

/** Somebody has changed in the registry what is on trial: a person says what holds, unless it has failed anyway. */
function moved({ holds, gate }: ShiftStage, facts: WatchFacts, run: Run): Turn | null {
  const { model } = facts;
  const drift = holds === undefined || model === undefined || model === null ? null : driftOf(holds, model);
  if (drift === null || (gate !== null && verdictOf(gate, facts).decision === 'rollback')) return null;
  run.update(anew(run.progress));
  return park('TARGET_DRIFTED', drift);
}

const ended = (stage: ShiftStage, run: Run): Turn =>
  promote(currentRecord(run.progress)?.note ?? `${stage.weight} % for ${stage.forMs / 1_000} s`);

/** Waits for the next moment, at the most until the end of the time, and looks; null: an order came first. */
async function look(stage: ShiftStage, run: Run): Promise<WatchFacts | null> {
  const { deadline } = run.progress;
  const { paused } = run.desk;
  const waitMs = nextLookMs(stage.everyMs, run.progress, paused, Date.now());
  const since = run.progress.traffic?.since ?? Date.now();
  const { route, gate, name, weight, holds } = stage;
  const model = holds === undefined ? {} : { model: questionOf(holds) };
  const input = { target: run.target, route, gate, since, waitMs, weight, ...model };
  const changed = (): boolean =>
    run.pending !== null || run.progress.deadline !== deadline || run.desk.paused !== paused;
  try {
    return await unless(changed, () => watchTraffic(`${name}: look`, input));
  } catch (error) {
    unseen(stage, error, run);
    throw error;
  }
}

/** What was seen before a look that failed is no reason to go on after it. */
function unseen({ gate }: ShiftStage, error: unknown, run: Run): void {
  const failure = failureOf(error);
  if (failure === null || gate === null) return;
  run.update({ ...run.progress, verdict: { decision: 'hold', because: `${failure.code} ${failure.detail}` } });
}

/** Puts right what somebody else has written; null: nobody has. What was judged before is judged anew. */
async function repair(stage: ShiftStage, { route: state }: WatchFacts, run: Run): Promise<Turn | null> {
  run.update(routed(run.progress, state, Date.now()));
  if (state.weight === stage.weight) return null;
  if (isContended(run.progress)) {
    run.update(anew(run.progress));
    return park('ROUTE_DRIFTED', `${state.because}, and not ${stage.weight} %, again and again`);
  }
  run.update({ ...repaired(run.progress), verdict: null });
  run.note('finding', `${stage.name}: ${state.because}; put right to ${stage.weight} %`, { weight: state.weight });
  await route(stage, stage.weight, run);
  run.update(unlooked(run.progress));
  return again;
}

async function judged(stage: ShiftStage, facts: WatchFacts, run: Run): Promise<Turn> {
  if (stage.gate === null) return unjudged(facts, run);
  const verdict = unlessAway(verdictOf(stage.gate, facts), facts);
  told(stage, verdict, facts, run);
  // paused, the time is not over
  const isOverdue = !run.desk.paused && verdict.decision === 'hold' && Date.now() >= latestEnd(stage.gate, run);
  run.update({ ...looked(run.progress, facts.blindBecause, isOverdue, Date.now()), verdict });
  if (verdict.decision === 'rollback') return failed(stage, verdict.because, run);
  return calledFor(stage.gate, verdict, run) ?? again;
}

const verdictOf = (gate: Gate, { windows, blindBecause, compared }: WatchFacts): Verdict =>
  judgeWindows(gate, windows, blindBecause, compared);

/** Without checks it may end unless the registry could not be asked. */
function unjudged({ model }: WatchFacts, run: Run): Turn {
  if (model !== undefined) run.update({ ...run.progress, verdict: model === null ? away : null });
  return again;
}

const away: Verdict = { decision: 'hold', because: 'the registry of models can not be reached' };

/** Nobody saw that the registry still says what is on trial: that holds, and keeps nothing from going back. */
const unlessAway = (verdict: Verdict, { model }: WatchFacts): Verdict =>
  model === null && verdict.decision === 'promote' ? away : verdict;

/** When the step could have been over: its time is, and so are as many windows as a verdict takes. */
const latestEnd = ({ fails, windowMs }: Gate, { progress: { deadline, traffic } }: Run): number =>
  Math.max(deadline ?? Infinity, (traffic?.since ?? 0) + fails * windowMs);

/** A person is called when there was no data, or the time was over without a good verdict, for as long as is borne. */
function calledFor({ blindForMs }: Gate, { because }: Verdict, run: Run): Turn | null {
  const { blind, since } = doubtOf(run.progress);
  if (Date.now() - since < blindForMs) return null;
  run.update(called(run.progress));
  return blind === null ? park('GATE_HELD', because) : park('METRICS_BLIND', blind.because);
}

/** In the ledger once for each that is another one. */
function told({ name }: ShiftStage, verdict: Verdict, { windows }: WatchFacts, run: Run): void {
  if (run.progress.verdict?.decision === verdict.decision) return;
  const last = windows.at(-1);
  const seen = last === undefined ? {} : { requests: last.requests, values: { ...last.values } };
  run.note('verdict', `${name}: ${verdict.decision}: ${verdict.because}`, { ...verdict, ...seen });
}

/** What the step itself says about a check that failed. */
async function failed(stage: ShiftStage, because: string, run: Run): Promise<Turn> {
  if (stage.onFail === 'rollback') return { next: 'back', because };
  const moved = stage.onFail === 'hold' ? '' : await lessen(stage, stage.onFail.weight, run);
  // who tries again begins the step anew, with windows of its own
  run.update(anew(run.progress));
  return park('GATE_HELD', `${because}${moved}`);
}

async function lessen(stage: ShiftStage, weight: number, run: Run): Promise<string> {
  const state = await route(stage, weight, run);
  return state.weight === weight ? `; back to ${weight} %` : `; not back to ${weight} %: ${state.because}`;
}
