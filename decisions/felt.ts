import type { Felt } from '../contracts/progress.ts';

/** What was felt so far and in one more slice, taken together. What one of them did not measure, the other may have. */
export function addFelt(before: Felt | undefined, slice: Felt): Felt {
  if (before === undefined) return slice;
  const measuredMs = before.measuredMs + slice.measuredMs;
  const mean = (a: number | null, b: number | null): number | null =>
    either(a, b, (x, y) => (x * before.measuredMs + y * slice.measuredMs) / measuredMs);
  return {
    by: slice.by ?? before.by,
    p99AloneMs: mean(before.p99AloneMs, slice.p99AloneMs),
    p99BesideMs: mean(before.p99BesideMs, slice.p99BesideMs),
    measuredMs,
    longestMs: either(before.longestMs, slice.longestMs, Math.max),
    lockWaits: both(before.lockWaits, slice.lockWaits),
    deadlocks: both(before.deadlocks, slice.deadlocks),
    errors: errorsOf(before, slice),
  };
}

const either = (a: number | null, b: number | null, of: (a: number, b: number) => number): number | null =>
  a === null || b === null ? (a ?? b) : of(a, b);

/** A count with a gap in it is none: it would be taken for all there was. */
const both = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a + b);

/** A slice beside nobody asks no source, so that it has no errors to tell either. */
function errorsOf(before: Felt, slice: Felt): number | null {
  if (slice.by === null) return before.errors;
  return before.by === null ? slice.errors : both(before.errors, slice.errors);
}
