import type { GraceStage } from '../contracts/plan.ts';
import type { Progress } from '../contracts/progress.ts';
import { currentRecord } from './progress.ts';

/** What comes next in grace. `until` in epoch ms; null: until somebody orders something. */
export type GraceStep =
  | { readonly next: 'end' }
  | { readonly next: 'look' }
  | { readonly next: 'check'; readonly pass: string }
  | { readonly next: 'wait'; readonly until: number | null };

/**
 * Says whether grace is over, whether to look, or until when to wait. While paused it does not end, but is looked at; a
 * comparison that is under way is finished first, or what it would find were found too late.
 */
export function nextInGrace(stage: GraceStage, progress: Progress, paused: boolean, now: number): GraceStep {
  if (typeof progress.pass === 'string') return { next: 'check', pass: progress.pass };
  // A hold was parked, and a person has ordered to try again: before anything else it has to be seen better.
  if (progress.verdict?.decision === 'hold') return { next: 'look' };
  const deadline = paused ? Infinity : (progress.deadline ?? Infinity);
  if (now >= deadline) return { next: 'end' };
  const look = lookAt(stage, progress, now);
  return now >= look ? { next: 'look' } : waitUntil(Math.min(deadline, look));
}

const lookAt = ({ cadenceMs }: GraceStage, progress: Progress, now: number): number =>
  nextLook(cadenceMs, currentRecord(progress)?.beganAt ?? now, progress.wayBack.lookedAt);

const waitUntil = (until: number): GraceStep => ({ next: 'wait', until: Number.isFinite(until) ? until : null });

/** The first moment of the cadence after `last`; the cadence counts from `since` and its last interval repeats. */
export function nextLook(cadenceMs: readonly number[], since: number, last: number): number {
  const listed = cadenceMs.find((offset) => since + offset > last);
  if (listed !== undefined) return since + listed;
  const repeats = cadenceMs.at(-1);
  if (repeats === undefined || repeats <= 0) return Infinity;
  return since + repeats * (Math.floor((last - since) / repeats) + 1);
}
