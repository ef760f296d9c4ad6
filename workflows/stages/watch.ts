import type { WatchFacts } from '../../contracts/activities.ts';
import type { Gate, Verdict } from '../../contracts/gate.ts';
import type { ShiftStage } from '../../contracts/plan.ts';
import { judgeWindows } from '../../decisions/judge-windows.ts';
import { currentRecord } from '../../decisions/progress.ts';
import { anew, isContended, mayEnd, nextLookMs, repaired, routed, seeing } from '../../decisions/traffic.ts';
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
  return (await repair(stage, facts, run)) ?? judged(stage, facts, run);
}

const ended = (stage: ShiftStage, run: Run): Turn =>
  promote(currentRecord(run.progress)?.note ?? `${stage.weight} % for ${stage.forMs / 1_000} s`);

/** Waits for the next moment, at the most until the end of the time, and looks; null: an order came first. */
async function look(stage: ShiftStage, run: Run): Promise<WatchFacts | null> {
  const { deadline } = run.progress;
  const { paused } = run.desk;
  const waitMs = nextLookMs(stage.everyMs, run.progress, paused, Date.now());
  const since = run.progress.traffic?.since ?? Date.now();
  const { route, gate, name, weight } = stage;
  const input = { target: run.target, route, gate, since, waitMs, weight };
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
  return again;
}

async function judged(stage: ShiftStage, facts: WatchFacts, run: Run): Promise<Turn> {
  if (stage.gate === null) return again;
  const verdict = judgeWindows(stage.gate, facts.windows, facts.blindBecause);
  told(stage, verdict, facts, run);
  run.update({ ...seeing(run.progress, facts.blindBecause, Date.now()), verdict });
  if (verdict.decision === 'rollback') return failed(stage, verdict.because, run);
  return isBlind(stage.gate, run) ?? isHeldTooLong(stage.gate, verdict, run) ?? again;
}

/** The time is over, as many windows as a verdict takes are too, and the checks have still not said that all is well. */
function isHeldTooLong({ blindForMs, windowMs, fails }: Gate, { decision, because }: Verdict, run: Run): Turn | null {
  const { deadline, traffic } = run.progress;
  const told = (traffic?.since ?? 0) + fails * windowMs;
  const over = Date.now() - Math.max(deadline ?? Infinity, told);
  // paused, the time is not over
  const counts = !run.desk.paused && (traffic?.blind ?? null) === null;
  return decision === 'hold' && counts && over >= blindForMs ? park('GATE_HELD', because) : null;
}

/** In the ledger once for each that is another one. */
function told({ name }: ShiftStage, verdict: Verdict, { windows }: WatchFacts, run: Run): void {
  if (run.progress.verdict?.decision === verdict.decision) return;
  const last = windows.at(-1);
  const seen = last === undefined ? {} : { requests: last.requests, values: { ...last.values } };
  run.note('verdict', `${name}: ${verdict.decision}: ${verdict.because}`, { ...verdict, ...seen });
}

/** Without data for as long as the gate bears; who says to go on is not called again at once. */
function isBlind({ blindForMs }: Gate, run: Run): Turn | null {
  const blind = run.progress.traffic?.blind ?? null;
  if (blind === null || Date.now() - blind.since < blindForMs) return null;
  run.update(seeing(run.progress, null, Date.now()));
  return park('METRICS_BLIND', blind.because);
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
