import type { ComparedCounts, Comparison, CountedPart, Gate, PartOfWhole } from '../../contracts/gate.ts';
import { askClock, increase, lookBackWindows } from './borders.ts';
import type { FindMetrics } from './index.ts';
import { askRange, type Moments, type PrometheusAddress, type RangeAnswer } from './prometheus-query.ts';

/** A Prometheus refuses more moments than 11,000 of one query: then several windows are one. */
const mostMoments = 10_000;

/** What was counted, by the name of its comparison; null: not measured. */
type Compared = Readonly<Record<string, ComparedCounts | null>>;

/**
 * What both sides have counted since `since` (epoch ms), in windows of the gate that are over. A window in which a
 * counter was begun anew, or is missing, is left out of all four; the last one has to be there.
 */
export async function readComparisons(
  gate: Pick<Gate, 'metrics' | 'windowMs'>,
  comparisons: readonly Comparison[],
  since: number,
  metrics: FindMetrics,
  now: () => number = Date.now,
): Promise<Compared> {
  const source = metrics(gate.metrics);
  const over = Math.floor((now() - since) / gate.windowMs);
  const clock = source === null || over < 1 ? null : (await askClock(source, now)).value;
  if (source === null || clock === null) return Object.fromEntries(comparisons.map(({ name }) => [name, null]));
  const windows = Math.ceil(over / mostMoments);
  const count = Math.floor(over / windows);
  const stepMs = windows * gate.windowMs;
  // the latest windows: what does not go into steps of several is the oldest
  const first = since + clock + (over - count * windows) * gate.windowMs;
  const moments = { first, stepMs, count: count + 1, lookBackMs: lookBackWindows * gate.windowMs };
  const counted = await Promise.all(comparisons.map((comparison) => counted4(source, comparison, moments)));
  return Object.fromEntries(comparisons.map(({ name }, index) => [name, counted[index] ?? null]));
}

async function counted4(source: PrometheusAddress, { candidate, stable }: Comparison, moments: Moments) {
  const [ofCandidate, ofStable] = await Promise.all([
    askBoth(source, candidate, moments),
    askBoth(source, stable, moments),
  ]);
  const sum = { candidate: { part: 0, whole: 0 }, stable: { part: 0, whole: 0 } };
  const last = moments.count - 2;
  for (let index = 0; index <= last; index++) {
    const [one, other] = [within(ofCandidate, index), within(ofStable, index)];
    if (one !== null && other !== null) {
      add(sum.candidate, one);
      add(sum.stable, other);
    } else if (index === last) return null;
  }
  return sum;
}

type Both = readonly [part: RangeAnswer, whole: RangeAnswer];

const askBoth = (source: PrometheusAddress, { part, whole }: CountedPart, moments: Moments): Promise<Both> =>
  Promise.all([askRange(source, part, moments), askRange(source, whole, moments)]);

function within([part, whole]: Both, index: number): PartOfWhole | null {
  const [some, all] = [increase(part, index).value, increase(whole, index).value];
  return some === null || all === null ? null : { part: some, whole: all };
}

function add(sum: { part: number; whole: number }, more: PartOfWhole): void {
  sum.part += more.part;
  sum.whole += more.whole;
}
