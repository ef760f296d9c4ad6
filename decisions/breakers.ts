import type { DependencyAnswer, DependencyLook } from '../contracts/activities.ts';
import type { Dependency } from '../contracts/gate.ts';
import type { ShiftStage } from '../contracts/plan.ts';
import type { Breaker, BreakerState, Progress } from '../contracts/progress.ts';
import { backoff } from './backoff.ts';

/** A breaker nobody has looked at: it is looked at before anything rests on it. */
const unseen = (name: string, part: number | undefined, now: number): Breaker => ({
  name,
  ...(part === undefined ? {} : { part }),
  state: 'closed',
  since: now,
  because: null,
  answers: [],
  waits: 0,
  lookedAt: 0,
  nextAt: now,
  until: null,
});

/** What is known of the dependencies of a share, in their order. `now` in epoch ms, as everywhere here. */
export const breakersOf = (
  { dependencies = [], part }: Pick<ShiftStage, 'dependencies' | 'part'>,
  { breakers = [] }: Pick<Progress, 'breakers'>,
  now: number,
): readonly Breaker[] =>
  dependencies.map(
    ({ name }) => breakers.find((breaker) => breaker.name === name && breaker.part === part) ?? unseen(name, part, now),
  );

/** What was seen in one slice makes of a breaker another one. Nothing was seen: it is the same one. */
export function answered(
  dependency: Dependency,
  breaker: Breaker,
  answer: DependencyAnswer | undefined,
  now: number,
): Breaker {
  if (answer === undefined || (answer.good === 0 && answer.fault === null)) return breaker;
  let next = breaker;
  // beyond what it is judged by, more good ones say nothing more
  const good = Math.min(answer.good, Math.max(dependency.of, dependency.closeAfter));
  for (let count = 0; count < good; count++) next = judged(dependency, next, null, now);
  if (answer.fault !== null) next = judged(dependency, next, answer.fault, now);
  const waitMs = next.state === 'open' ? backoff(dependency.everyMs, dependency.backoffMs, next.waits) : null;
  return { ...next, lookedAt: now, nextAt: now - answer.agoMs + (waitMs ?? dependency.everyMs) };
}

/**
 * One answer. Closed: so many bad ones among the latest open it. Open: a good one half-opens it. Half-open: as many good
 * ones in a row as are asked for close it, and a bad one opens it again.
 */
function judged(dependency: Dependency, breaker: Breaker, fault: string | null, now: number): Breaker {
  const isGood = fault === null;
  const answers = [...breaker.answers, isGood].slice(-Math.max(dependency.of, dependency.closeAfter));
  const seen = { ...breaker, answers, because: fault ?? breaker.because };
  const state = stateAfter(dependency, seen, isGood);
  const waits = isGood || state === 'closed' ? 0 : breaker.waits + 1;
  if (state === breaker.state) return { ...seen, waits };
  // what opened it says nothing of the time after it is closed again
  if (state === 'closed') return { ...seen, state, waits, since: now, answers: [true], until: null };
  return { ...seen, state, waits, since: now };
}

function stateAfter(dependency: Dependency, { state, answers }: Breaker, isGood: boolean): BreakerState {
  if (state === 'closed') {
    const bad = answers.slice(-dependency.of).filter((good) => !good).length;
    return !isGood && bad >= dependency.fails ? 'open' : 'closed';
  }
  if (!isGood) return 'open';
  return goodInRow(answers) >= dependency.closeAfter ? 'closed' : 'half-open';
}

const goodInRow = (answers: readonly boolean[]): number => answers.length - 1 - answers.lastIndexOf(false);

/** The clock of each that is not closed runs towards the call for a person, unless it is paused. */
export const clocked = (
  dependencies: readonly Dependency[],
  breakers: readonly Breaker[],
  paused: boolean,
  now: number,
): readonly Breaker[] =>
  breakers.map((breaker, index) => ({
    ...breaker,
    until: breaker.state === 'closed' || paused ? null : (breaker.until ?? now + (dependencies[index]?.openForMs ?? 0)),
  }));

/** Those without which nothing is sent to the candidate. */
export const openOnes = (breakers: readonly Breaker[]): readonly Breaker[] =>
  breakers.filter(({ state }) => state !== 'closed');

/** That the candidate may be sent something: each was looked at, is closed, and answered well the last time. */
export const areWell = (breakers: readonly Breaker[]): boolean => breakers.every(isWell);

/** The same of a share whose time is over: what was seen before its end says nothing of it. */
export const areWellSince = (breakers: readonly Breaker[], moment: number): boolean =>
  areWell(breakers) && breakers.every(({ lookedAt }) => lookedAt >= moment);

const isWell = ({ state, answers, lookedAt }: Breaker): boolean =>
  state === 'closed' && lookedAt > 0 && answers.at(-1) === true;

/** What is to be looked at in the next slice; at the latest at `deadline`, epoch ms. */
export const looksAt = (
  dependencies: readonly Dependency[],
  breakers: readonly Breaker[],
  deadline: number | null,
  now: number,
): readonly DependencyLook[] =>
  dependencies.map(({ name, probe, everyMs }, index) => {
    const breaker = breakers[index] ?? unseen(name, undefined, now);
    const isDue = deadline !== null && breaker.lookedAt < deadline;
    const at = isDue ? Math.min(breaker.nextAt, deadline) : breaker.nextAt;
    return { name, probe, everyMs, waitMs: Math.max(0, at - now), isWell: isWell(breaker) };
  });

/** `scores-db is open: no connection`. */
export const breakerWords = ({ name, state, because }: Breaker): string =>
  because === null || state === 'closed' ? `${name} is ${state}` : `${name} is ${state}: ${because}`;
