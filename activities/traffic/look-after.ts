import { setTimeout as sleep } from 'node:timers/promises';
import type { DependencyAnswer, DependencyLook } from '../../contracts/activities.ts';
import type { Probe } from '../../contracts/gate.ts';

type Ask = (probe: Probe) => Promise<string | null>;

/**
 * Waits, and looks at dependencies meanwhile, each at its own pace; those that are due when the time is over are looked
 * at too. The first answer that is news ends it, and so does `over`: looks that are under way are waited for, no other one
 * is begun.
 */
export async function lookAfter(
  looks: readonly DependencyLook[],
  waitMs: number,
  ask: Ask,
  over: AbortController,
): Promise<readonly DependencyAnswer[]> {
  const from = Date.now();
  const [answers] = await Promise.all([
    Promise.all(looks.map((look) => follow(look, from, from + waitMs, over, ask))),
    pause(waitMs, over.signal),
  ]);
  return answers
    .filter((answer) => answer !== null)
    .map(({ at, ...answer }) => ({ ...answer, agoMs: Date.now() - at }));
}

type Answered = Omit<DependencyAnswer, 'agoMs'> & { readonly at: number };

/** Null: it was not due. */
async function follow(
  look: DependencyLook,
  from: number,
  until: number,
  over: AbortController,
  ask: Ask,
): Promise<Answered | null> {
  let [good, at] = [0, 0];
  for (let due = from + look.waitMs; due <= until; due = at + look.everyMs) {
    await pause(due - Date.now(), over.signal);
    if (over.signal.aborted) break;
    const fault = await ask(look.probe);
    at = Date.now();
    if (fault === null) good += 1;
    if (fault === null && look.isWell) continue;
    over.abort();
    return { name: look.name, good, fault, at };
  }
  return good === 0 ? null : { name: look.name, good, fault: null, at };
}

/** Ends early, without a word, when there are news. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  ms <= 0 ? Promise.resolve() : sleep(ms, undefined, { ref: false, signal }).catch(() => undefined);
