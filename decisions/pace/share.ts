import { crawl, staleMs } from './signals.ts';

/** The application's p99 as one source sees it. */
export interface P99 {
  readonly ms: number;
  /** When it was last measured, epoch ms. */
  readonly at: number;
}

/** What the application feels without us and beside us, as measured; null: no data. */
export interface Felt {
  readonly alone: P99 | null;
  /** Measured since the share was last changed, over ten seconds or more. */
  readonly beside: P99 | null;
  /** Why there is no data, in words; null when there is some. */
  readonly blindBecause: string | null;
}

/** The outer control: how much of the time our bursts may take beside the application. */
export interface Share {
  readonly value: number;
  /** Why, with the numbers. */
  readonly reason: string;
  /** Whether it follows the application's latency as measured just now. */
  readonly measured: boolean;
}

/** After so long without data a person is called, ms. */
export const blindLimitMs = 300_000;
/** Where the control begins, and where plans without a source stay. */
export const firstShare = 0.25;
const most = 0.95;
const least = 0.02;
const stepUp = 0.1;
/** The live baseline is renewed in every off-window; older than this it is none, ms. */
const baselineGoodForMs = 40 * staleMs;

/**
 * Moves the share slowly: up by a tenth while the p99 is well under its bound, down in proportion when it is over.
 * Without fresh data it is the crawl that was measured to be harmless: missing data never speeds up.
 */
export function steerShare(share: number, { alone, beside, blindBecause }: Felt, bound: number, now: number): Share {
  if (blindBecause !== null) {
    return { value: Math.min(share, crawl), reason: `holds back: ${blindBecause}`, measured: false };
  }
  if (alone === null || now - alone.at > baselineGoodForMs) {
    return { value: Math.min(share, crawl), reason: 'measures the application alone first', measured: false };
  }
  if (beside === null || now - beside.at > staleMs) {
    return { value: share, reason: `the application alone: p99 ${ms(alone.ms)}`, measured: false };
  }
  const ratio = beside.ms / alone.ms;
  const reason = `p99 ${ms(beside.ms)}, alone ${ms(alone.ms)}: ${ratio.toFixed(2)}× of ${bound}×`;
  return { value: moved(share, ratio / bound), reason, measured: true };
}

/** `over`: how much of the bound is used. */
function moved(share: number, over: number): number {
  if (over > 1) return Math.max(least, share * Math.max(0.5, 0.9 / over));
  return over < 0.85 ? Math.min(most, share + stepUp) : share;
}

const ms = (value: number): string => `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;

/** The value below which the share `p` of the samples lies, by the nearest rank; null of none. */
export function quantile(samples: readonly number[], p: number): number | null {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * p) - 1)] ?? null;
}
