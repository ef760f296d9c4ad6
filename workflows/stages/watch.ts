import type { WatchFacts } from '../../contracts/activities.ts';
import type { Gate, Verdict } from '../../contracts/gate.ts';
import type { ShiftStage } from '../../contracts/plan.ts';
import { judgeWindows } from '../../decisions/judge-windows.ts';
import { currentRecord } from '../../decisions/progress.ts';
import { isContended, repaired, routed } from '../../decisions/traffic.ts';
import { setWeight, watchTraffic } from '../activities.ts';
import type { Run } from '../run.ts';
import { unless } from '../unless.ts';
import { again, park, promote, type Turn } from './stage.ts';

/** One look at a share that is in place: at the route, at the checks, at the clock. */
export async function watch(stage: ShiftStage, run: Run): Promise<Turn> {
  const deadline = run.progress.deadline ?? Infinity;
  const isDue = !run.desk.paused && Date.now() >= deadline;
  if (isDue && mayEnd(stage, run)) return ended(stage, run);
  const facts = await look(stage, run, isDue ? Infinity : deadline);
  if (facts === null) return again;
  return (await repair(stage, facts, run)) ?? judged(stage, facts, run);
}

/** No data never promotes. */
const mayEnd = ({ gate }: ShiftStage, { progress: { verdict } }: Run): boolean =>
  gate === null || verdict?.decision === 'promote';

const ended = (stage: ShiftStage, run: Run): Turn =>
  promote(currentRecord(run.progress)?.note ?? `${stage.weight} % for ${stage.forMs / 1_000} s`);

/** Waits for the next moment, at the most until the end of the time, and looks; null: an order came first. */
async function look(stage: ShiftStage, run: Run, until: number): Promise<WatchFacts | null> {
  const { deadline } = run.progress;
  const { paused } = run.desk;
  const waitMs = Math.max(0, Math.min(stage.everyMs, paused ? Infinity : until - Date.now()));
  const since = run.progress.traffic?.since ?? Date.now();
  const { route, gate, name } = stage;
  const input = { target: run.target, route, gate, since, waitMs };
  const changed = (): boolean =>
    run.pending !== null || run.progress.deadline !== deadline || run.desk.paused !== paused;
  return unless(changed, () => watchTraffic(`${name}: look`, input));
}

/** Puts right what somebody else has written; null: nobody has. */
async function repair(stage: ShiftStage, { route }: WatchFacts, run: Run): Promise<Turn | null> {
  run.update(routed(run.progress, route, Date.now()));
  if (route.weight === stage.weight) return null;
  if (isContended(run.progress))
    return park('ROUTE_DRIFTED', `${route.because}, and not ${stage.weight} %, again and again`);
  run.update(repaired(run.progress));
  run.note('finding', `${stage.name}: ${route.because}; put right to ${stage.weight} %`, { weight: route.weight });
  const { route: to, weight, name } = stage;
  await setWeight(`${name}: ${weight} % again`, { site: run.effect(), route: to, weight });
  return again;
}

async function judged(stage: ShiftStage, facts: WatchFacts, run: Run): Promise<Turn> {
  if (stage.gate === null) return again;
  const verdict = judgeWindows(stage.gate, facts.windows);
  told(stage, verdict, facts, run);
  run.update({ ...run.progress, verdict });
  if (verdict.decision === 'rollback') return failed(stage, verdict.because, run);
  return isBlind(stage, facts, run) ?? isHeldTooLong(stage.gate, verdict, run) ?? again;
}

/** The time is over, and the checks have still not said that all is well. */
function isHeldTooLong({ blindForMs }: Gate, { decision, because }: Verdict, run: Run): Turn | null {
  const over = Date.now() - (run.progress.deadline ?? Infinity);
  return decision === 'hold' && over >= blindForMs ? park('GATE_HELD', because) : null;
}

/** In the ledger once for each that is another one. */
function told({ name }: ShiftStage, verdict: Verdict, { windows }: WatchFacts, run: Run): void {
  if (run.progress.verdict?.decision === verdict.decision) return;
  const last = windows.at(-1);
  const seen = last === undefined ? {} : { requests: last.requests, values: { ...last.values } };
  run.note('verdict', `${name}: ${verdict.decision}: ${verdict.because}`, { ...verdict, ...seen });
}

function isBlind({ gate }: ShiftStage, { blindBecause, windows }: WatchFacts, run: Run): Turn | null {
  if (gate === null || blindBecause === null) return null;
  const since = windows.at(-1)?.to ?? run.progress.traffic?.since ?? Date.now();
  return Date.now() - since < gate.blindForMs ? null : park('METRICS_BLIND', blindBecause);
}

/** What the step itself says about a check that failed. */
async function failed(stage: ShiftStage, because: string, run: Run): Promise<Turn> {
  if (stage.onFail === 'rollback') return { next: 'back', because };
  const { name, route } = stage;
  if (stage.onFail !== 'hold') {
    const { weight } = stage.onFail;
    const state = await setWeight(`${name}: back to ${weight} %`, { site: run.effect(), route, weight });
    run.update(routed(run.progress, state, Date.now()));
  }
  // who tries again begins the step anew, with windows of its own
  run.update({ ...run.progress, deadline: null });
  return park('GATE_HELD', because);
}
