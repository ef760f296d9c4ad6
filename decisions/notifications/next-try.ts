import type { Answer } from '../../contracts/notifications.ts';

/** What becomes of a message that was not taken; ms. */
export type NextTry = { readonly giveUp: true } | { readonly giveUp: false; readonly inMs: number };

/** For how long a message is tried, ms: a receiver may be down over a weekend. */
export const triedFor = 3 * 86_400_000;
const first = 1_000;
const longest = 600_000;
/** No receiver may put us off for longer, ms. */
const patience = 3_600_000;

/**
 * When a message is tried again after `tries` tries, of which the last had this answer, `ageMs` after it was noted:
 * twice as late each time, up to ten minutes, as much as half of it less by `chance` (0 to 1), never sooner than the
 * receiver asks for. One that fails after three days is given up.
 */
export function nextTry(
  answer: Extract<Answer, { taken: false }>,
  tries: number,
  ageMs: number,
  chance: number,
): NextTry {
  if (ageMs >= triedFor) return { giveUp: true };
  const step = Math.min(first * 2 ** Math.min(tries - 1, 20), longest);
  const asked = Math.min(answer.retryAfterMs ?? 0, patience);
  return { giveUp: false, inMs: Math.max(Math.round(step * (1 - chance / 2)), asked) };
}
