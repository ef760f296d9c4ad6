import type { ShadowStage } from '../contracts/plan.ts';
import type { PointerCount, Progress, Shadow, SideLatency } from '../contracts/progress.ts';
import { latencyBoundsMs, type CountsByPointer, type LatencyCounts, type ShadowFacts } from '../contracts/shadow.ts';
import { intervalOf } from './interval.ts';
import { confidenceOf } from './judge-shadow.ts';

/** So many pointers are kept; the others are counted together. */
const mostPointers = 50;

const unmeasured: SideLatency = { p50Ms: null, p99Ms: null, counts: [] };
const nothing: Shadow = {
  compared: 0,
  agreed: 0,
  silent: 0,
  interval: null,
  differs: [],
  noise: [],
  latency: { stable: unmeasured, candidate: unmeasured },
  requests: 0,
  next: 0,
  silentSince: null,
};

/** What has been compared so far. */
export const shadowOf = ({ shadow }: Progress): Shadow => shadow ?? nothing;

/** A slice more; whoever begins anew has nothing. `now` in epoch ms. */
export const compared = (progress: Progress, facts: ShadowFacts, now: number): Progress => ({
  ...progress,
  shadow: added(shadowOf(progress), facts, now),
});

/** It has come to an end that a person has to weigh. */
export const comparedForGood = (progress: Progress): Progress => ({
  ...progress,
  shadow: { ...shadowOf(progress), over: true },
});

/** Whoever tries again compares anew; the place in the batch stays. */
export const comparedAnew = (progress: Progress): Progress => ({
  ...progress,
  shadow: { ...nothing, next: shadowOf(progress).next },
});

/** How sure the share is by now. */
export const measured = (progress: Progress, stage: Pick<ShadowStage, 'looks'>): Progress => {
  const shadow = shadowOf(progress);
  const confidence = confidenceOf(stage);
  const interval = { ...intervalOf(shadow.agreed, shadow.compared, confidence), confidence };
  return { ...progress, shadow: { ...shadow, interval } };
};

function added(shadow: Shadow, facts: ShadowFacts, now: number): Shadow {
  const { latency } = shadow;
  return {
    compared: shadow.compared + facts.compared,
    agreed: shadow.agreed + facts.agreed,
    silent: shadow.silent + facts.silent,
    interval: shadow.interval,
    differs: withCounts(shadow.differs, facts.differs),
    noise: withCounts(shadow.noise, facts.noise),
    latency: {
      stable: withLatency(latency.stable, facts.latency.stable),
      candidate: withLatency(latency.candidate, facts.latency.candidate),
    },
    requests: facts.requests,
    next: facts.next,
    silentSince: facts.compared > 0 ? null : (shadow.silentSince ?? now),
  };
}

function withCounts(before: readonly PointerCount[], counts: CountsByPointer): readonly PointerCount[] {
  const sum = new Map(before.map(({ at, count }) => [at, count]));
  for (const [at, count] of Object.entries(counts)) {
    const place = sum.has(at) || sum.size < mostPointers ? at : 'others';
    sum.set(place, (sum.get(place) ?? 0) + count);
  }
  // of equal counts the order of the alphabet: equal facts give equal progress
  return [...sum].map(([at, count]) => ({ at, count })).toSorted((a, b) => b.count - a.count || (a.at < b.at ? -1 : 1));
}

function withLatency(before: SideLatency, counts: LatencyCounts): SideLatency {
  const sum = counts.map((count, place) => count + (before.counts[place] ?? 0));
  return { p50Ms: quantile(sum, 0.5), p99Ms: quantile(sum, 0.99), counts: sum };
}

/** The bound that so large a part of all answers has kept, ms; null: there are none, or it is beyond all bounds. */
function quantile(counts: LatencyCounts, part: number): number | null {
  const wanted = part * counts.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  const place = counts.findIndex((count) => (seen += count) >= wanted);
  const bound = wanted === 0 ? undefined : latencyBoundsMs[place];
  return bound === undefined ? null : Math.round(bound * 100) / 100;
}
