import type { Dependency } from '../../contracts/gate.ts';
import type { ShiftStage } from '../../contracts/plan.ts';
import { areWell, breakersOf, breakerWords, clocked, openOnes } from '../../decisions/breakers.ts';
import { anew, fallenBack, inPlace, isContended, repaired } from '../../decisions/traffic.ts';
import type { Run } from '../run.ts';
import { hear } from './hear.ts';
import { route, seenHome } from './route.ts';
import { again, park, type Turn } from './stage.ts';
import { look, repair } from './watch.ts';

/**
 * Sends nothing to a candidate that lacks what it needs: before its share is set everything it needs has answered well,
 * and with an open breaker all goes to the stable side and stays there. Null: the share may be set, or stay.
 */
export async function guard(stage: ShiftStage, run: Run): Promise<Turn | null> {
  const { dependencies } = stage;
  if (dependencies === undefined) return null;
  const breakers = breakersOf(stage, run.progress, Date.now());
  const isOpen = openOnes(breakers).length > 0;
  // a share that is in place is looked after beside its route and its checks
  if (run.progress.deadline !== null && !isOpen) return null;
  // paused, nothing new begins: it is looked at, but not set again
  if (!run.desk.paused && areWell(breakers)) return null;
  const moved = isOpen ? await comeHome(stage, run) : null;
  return moved ?? hold(stage, dependencies, run);
}

/** It was taken home and is known to be there. */
const isHome = ({ progress: { fallback = null, traffic } }: Run): boolean =>
  fallback !== null && (traffic?.since ?? null) !== null;

/** Everything to the stable side, written and read back; that it is seen there is looked at once it is. */
async function comeHome(stage: ShiftStage, run: Run): Promise<Turn | null> {
  if ((run.progress.fallback ?? null) === null) {
    const because = openOnes(breakersOf(stage, run.progress, Date.now()))
      .map(breakerWords)
      .join('; ');
    run.update({ ...fallenBack(run.progress, stage.forMs, Date.now()), verdict: { decision: 'hold', because } });
    run.note('waiting', `${stage.name}: everything to the stable side until what the candidate needs is back`, {
      what: 'dependency',
    });
  }
  if (isHome(run)) return null;
  const state = await route(stage, 0, run);
  if (state.weight !== 0) {
    run.update(repaired(run.progress));
    if (!isContended(run.progress)) return again;
    run.update(anew(run.progress));
    return park('ROUTE_DRIFTED', `${state.because}, and not 0 %`);
  }
  return home(stage, run);
}

/** It is home when no request is seen on the other side any more; that nobody can see it is only said. */
async function home(stage: ShiftStage, run: Run): Promise<Turn | null> {
  const fault = await seenHome(stage, 0, run);
  if (fault?.hurts === true) return park('TRAFFIC_ELSEWHERE', `${fault.because}, and the route says 0 %`);
  const now = Date.now();
  const seen = run.progress.traffic?.seen ?? null;
  run.update(inPlace(run.progress, now));
  const words = fault === null ? '0 % on the candidate' : `0 % on the candidate; ${fault.because}`;
  run.note('reading', words, { name: 'weight', value: 0, unit: '%', seen, at: now });
  return null;
}

/** Looks until what is needed answers again; a person is called when it has not for too long. */
async function hold(stage: ShiftStage, dependencies: readonly Dependency[], run: Run): Promise<Turn> {
  const now = Date.now();
  const breakers = clocked(dependencies, breakersOf(stage, run.progress, now), run.desk.paused, now);
  const late = breakers.filter(({ until }) => until !== null && now >= until);
  if (late.length > 0) {
    // who says to go on has the whole time again
    run.update({ ...run.progress, breakers: clocked(dependencies, breakers, true, now) });
    return park('DEPENDENCY_AWAY', late.map(breakerWords).join('; '));
  }
  run.update({ ...run.progress, breakers });
  const callMs = Math.min(...breakers.map(({ until }) => (until ?? Infinity) - now));
  const empty: ShiftStage = { ...stage, weight: 0, gate: null, everyMs: Math.min(stage.everyMs, callMs) };
  const facts = await look(empty, run);
  if (facts === null) return again;
  hear(stage, facts, run);
  // until it is known to be home, what the route says is not somebody else's doing
  const repairs = isHome(run) ? await repair(empty, facts, run) : null;
  return repairs ?? again;
}
