import type { WatchFacts, WatchInput } from '../../contracts/activities.ts';
import type { Gate, Verdict } from '../../contracts/gate.ts';
import type { ShiftStage } from '../../contracts/plan.ts';
import { breakersOf, looksAt, openOnes } from '../../decisions/breakers.ts';
import { judgeWindows } from '../../decisions/judge-windows.ts';
import { driftOf, questionOf } from '../../decisions/models/drift.ts';
import { currentRecord } from '../../decisions/progress.ts';
import {
  anew,
  called,
  doubtOf,
  isContended,
  isDead,
  looked,
  mayEnd,
  nextLookMs,
  repaired,
  routed,
  standing,
  unlooked,
} from '../../decisions/traffic.ts';
import { sentTo } from '../../decisions/releases/sent-to.ts';
import { watchTraffic } from '../activities.ts';
import { failureOf } from '../failure-of.ts';
import type { Run } from '../run.ts';
import { unless } from '../unless.ts';
import { hear } from './hear.ts';
import { route } from './route.ts';
import { again, park, promote, type Turn } from './stage.ts';

/** One look at a share that is in place: at the route, at the checks, at the clock. */
export async function watch(stage: ShiftStage, run: Run): Promise<Turn> {
  if (!run.desk.paused && mayEnd(stage, run.progress, Date.now())) return ended(stage, run);
  const facts = await look(stage, run);
  if (facts === null) return again;
  hear(stage, facts, run);
  // what the checks say of a side that lacks what it needs is no reason to give it up
  if (openOnes(breakersOf(stage, run.progress, Date.now())).length > 0) return again;
  return (
    moved(stage, facts, run) ??
    (await repair(stage, facts, run)) ??
    dead(stage, facts, run) ??
    judged(stage, facts, run)
  );
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
export async function look(stage: ShiftStage, run: Run): Promise<WatchFacts | null> {
  const { deadline } = run.progress;
  const { paused } = run.desk;
  const waitMs = nextLookMs(stage.everyMs, run.progress, paused, Date.now());
  const since = run.progress.traffic?.since ?? Date.now();
  const { route, gate, name, weight, holds } = stage;
  const workload = sentTo(run.part.stages, stage);
  const to = workload === null ? {} : { workload };
  const model = holds === undefined ? {} : { model: questionOf(holds) };
  const input = {
    target: run.target,
    route,
    gate,
    since,
    waitMs,
    weight,
    ...to,
    ...model,
    ...dependenciesOf(stage, run),
  };
  const changed = (): boolean =>
    run.pending !== null || run.progress.deadline !== deadline || run.desk.paused !== paused;
  try {
    return await unless(changed, () => watchTraffic(`${name}: look`, input));
  } catch (error) {
    unseen(stage, error, run);
    throw error;
  }
}

/** What else is looked at while it waits. */
function dependenciesOf(stage: ShiftStage, { progress }: Run): Pick<WatchInput, 'dependencies'> {
  if (stage.dependencies === undefined) return {};
  const now = Date.now();
  return { dependencies: looksAt(stage.dependencies, breakersOf(stage, progress, now), progress.deadline, now) };
}

/** What was seen before a look that failed is no reason to go on after it. */
function unseen({ gate }: ShiftStage, error: unknown, run: Run): void {
  const failure = failureOf(error);
  if (failure === null || gate === null) return;
  run.update({ ...run.progress, verdict: { decision: 'hold', because: `${failure.code} ${failure.detail}` } });
}

/** Puts right what somebody else has written; null: nobody has. What was judged before is judged anew. */
export async function repair(stage: ShiftStage, { route: state }: WatchFacts, run: Run): Promise<Turn | null> {
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

/** What is sent to a side without a ready pod is lost, whatever its checks say, and they may say nothing; null: it has one, or needs none. */
function dead(stage: ShiftStage, { readyPods }: WatchFacts, run: Run): Turn | null {
  if (readyPods === undefined) return null;
  const now = Date.now();
  run.update(standing(run.progress, readyPods === 0, now));
  if (!isDead(run.progress, now)) return null;
  return { next: 'fail', failure: { code: 'ROLLOUT_STUCK', detail: `${stage.name}: no pod that gets it is ready` } };
}

async function judged(stage: ShiftStage, facts: WatchFacts, run: Run): Promise<Turn> {
  if (stage.gate === null) return unjudged(facts, run);
  const verdict = unlessAway(verdictOf(stage.gate, facts), facts);
  told(stage, verdict, facts, run);
  // paused, the time is not over
  const isOverdue = !run.desk.paused && verdict.decision === 'hold' && Date.now() >= latestEnd(stage.gate, run);
  run.update({ ...looked(run.progress, facts.blindBecause, isOverdue, Date.now()), verdict });
  if (verdict.decision === 'rollback') return failed(stage, verdict.because, run);
  return calledFor(stage, stage.gate, verdict, run) ?? again;
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
function calledFor({ name }: ShiftStage, gate: Gate, { because }: Verdict, run: Run): Turn | null {
  const { blind, since } = doubtOf(run.progress);
  if (Date.now() - since < gate.blindForMs) return null;
  if (blind !== null && gate.blind === 'rollback')
    return { next: 'back', because: `${name} failed: METRICS_BLIND ${blind.because}` };
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
