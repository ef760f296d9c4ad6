import type { Gate, GateCheck, GateWindow } from '../../contracts/gate.ts';
import type { FindMetrics } from './index.ts';
import { askClock, at, increase, lookBackWindows, untold, type Told } from './borders.ts';
import { askRange, type Moments, type PrometheusAddress, type RangeAnswer } from './prometheus-query.ts';

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
