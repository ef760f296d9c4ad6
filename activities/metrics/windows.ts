import type { Gate, GateCheck, GateWindow } from '../../contracts/gate.ts';
import type { FindMetrics } from './index.ts';
import { askPrometheus, askRange, type Moments, type PrometheusAddress, type RangeAnswer } from './prometheus-query.ts';

/** What the latest windows of a gate say, and why the last of them can not be judged for want of data, or null. */
export interface SeenWindows {
  readonly windows: readonly GateWindow[];
  readonly blindBecause: string | null;
}

/** A check, and what its query gave at the borders. */
interface Asked {
  readonly check: GateCheck;
  readonly answer: RangeAnswer;
}

/** What one window says of one thing, or why it does not. */
type Told = { readonly value: number; readonly because: null } | { readonly value: null; readonly because: string };

/**
 * A sample that is older than so many windows is not the border's own: nothing was scraped there. A server that does not
 * know `lookback_delta` takes the last value of up to five minutes: then the window has 0 requests, which holds too.
 */
const lookBackWindows = 1.5;

/**
 * What the latest windows of a gate say; only those that are over, and began at `since` (epoch ms) or later.
 *
 * They begin at `since` by our own clock. Where the source's is another one, the same moments are asked by its own,
 * to the second; that the clock of Temporal, which `since` is of, may differ from the worker's is borne.
 */
export async function readWindows(
  gate: Gate,
  since: number,
  metrics: FindMetrics,
  now: () => number = Date.now,
): Promise<SeenWindows> {
  const source = metrics(gate.metrics);
  if (source === null) return blind(`the worker knows no metrics source ${gate.metrics}`);
  const clock = await askClock(source, now);
  if (clock.value === null) return blind(`${gate.metrics}: ${clock.because}`);
  const over = Math.floor((now() - since) / gate.windowMs);
  const first = Math.max(0, over - gate.of);
  if (over <= first) return { windows: [], blindBecause: null };
  const from = since + first * gate.windowMs;
  return ask(gate, source, from, {
    first: from + clock.value,
    stepMs: gate.windowMs,
    count: over - first + 1,
    lookBackMs: lookBackWindows * gate.windowMs,
  });
}

const blind = (because: string): SeenWindows => ({ windows: [], blindBecause: because });

/** By how much the source's clock is ahead of ours, ms, whole seconds; asked of the source itself. */
async function askClock(source: PrometheusAddress, now: () => number): Promise<Told> {
  const before = now();
  const { value, because } = await askPrometheus(source, 'time()');
  if (value === null) return { value, because };
  return { value: Math.round((value * 1_000 - (before + now()) / 2) / 1_000) * 1_000, because: null };
}

async function ask(gate: Gate, source: PrometheusAddress, from: number, moments: Moments): Promise<SeenWindows> {
  const [requests, ...answers] = await Promise.all(
    [gate.requests, ...gate.checks.map(({ query }) => query)].map((query) => askRange(source, query, moments)),
  );
  if (requests === undefined) return { windows: [], blindBecause: null };
  const asked = gate.checks.flatMap((check, index): Asked[] => {
    const answer = answers[index];
    return answer === undefined ? [] : [{ check, answer }];
  });
  const windows = Array.from({ length: moments.count - 1 }, (_, index) => ({
    from: from + index * gate.windowMs,
    to: from + (index + 1) * gate.windowMs,
    requests: increase(requests, index).value,
    values: Object.fromEntries(asked.map((one) => [one.check.name, valueIn(one, requests, index).value])),
  }));
  return { windows, blindBecause: blindness(gate, requests, asked, moments.count - 2) };
}

/** Why the last window can not be judged; that it has too few requests for it is no blindness. */
function blindness(gate: Gate, requests: RangeAnswer, asked: readonly Asked[], last: number): string | null {
  const unasked = asked.find(({ answer }) => answer.because !== null);
  const { value, because } = increase(requests, last);
  if (value === null) return `requests: ${because}`;
  if (unasked !== undefined) return `${unasked.check.name}: ${unasked.answer.because ?? ''}`;
  if (value < gate.atLeast) return null;
  for (const one of asked) {
    const told = valueIn(one, requests, last);
    if (told.value === null) return `${one.check.name}: ${told.because}`;
  }
  return null;
}

function valueIn({ check, answer }: Asked, requests: RangeAnswer, index: number): Told {
  if (check.kind === 'value') return at(answer, index + 1, check.scale);
  const [part, whole] = [increase(answer, index), increase(requests, index)];
  if (part.value === null) return part;
  if (whole.value === null) return whole;
  return whole.value === 0 ? untold('there were no requests') : { value: part.value / whole.value, because: null };
}

/**
 * What a counter has counted in a window. One that goes back was begun anew, or one of several that it sums is gone: what
 * it counted meanwhile is not known, and what it says now may be of days.
 */
function increase(answer: RangeAnswer, index: number): Told {
  const [before, after] = [at(answer, index, 1), at(answer, index + 1, 1)];
  if (before.value === null) return before;
  if (after.value === null) return after;
  const value = after.value - before.value;
  return value < 0 ? untold('the counter was begun anew') : { value, because: null };
}

function at({ values, because }: RangeAnswer, index: number, scale: number): Told {
  const value = values[index] ?? null;
  return value === null
    ? untold(because ?? 'no number at a border of the window')
    : { value: value * scale, because: null };
}

const untold = (because: string): Told => ({ value: null, because });
