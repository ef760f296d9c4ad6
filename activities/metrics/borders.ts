import { askPrometheus, type PrometheusAddress, type RangeAnswer } from './prometheus-query.ts';

/** What one window says of one thing, or why it does not. */
export type Told =
  { readonly value: number; readonly because: null } | { readonly value: null; readonly because: string };

/**
 * A sample that is older than so many windows is not the border's own: nothing was scraped there. A server that does not
 * know `lookback_delta` takes the last value of up to five minutes: then the window has 0 requests, which holds too.
 */
export const lookBackWindows = 1.5;

/** By how much the source's clock is ahead of ours, ms, whole seconds; asked of the source itself. */
export async function askClock(source: PrometheusAddress, now: () => number): Promise<Told> {
  const before = now();
  const { value, because } = await askPrometheus(source, 'time()');
  if (value === null) return { value, because };
  return { value: Math.round((value * 1_000 - (before + now()) / 2) / 1_000) * 1_000, because: null };
}

/**
 * What a counter has counted in a window. One that goes back was begun anew, or one of several that it sums is gone: what
 * it counted meanwhile is not known, and what it says now may be of days.
 */
export function increase(answer: RangeAnswer, index: number): Told {
  const [before, after] = [at(answer, index, 1), at(answer, index + 1, 1)];
  if (before.value === null) return before;
  if (after.value === null) return after;
  const value = after.value - before.value;
  return value < 0 ? untold('the counter was begun anew') : { value, because: null };
}

/** What was asked says at a border. */
export function at({ values, because }: RangeAnswer, index: number, scale: number): Told {
  const value = values[index] ?? null;
  return value === null
    ? untold(because ?? 'no number at a border of the window')
    : { value: value * scale, because: null };
}

/** Nobody can say, and why. */
export const untold = (because: string): Told => ({ value: null, because });
