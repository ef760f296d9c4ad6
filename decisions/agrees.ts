import type { SeenShare } from '../contracts/route.ts';

/** How unlikely a count has to be on either side before it is not put down to chance. */
const doubt = 1e-4;
/** Of requests that nobody can be said to have answered, more than this part tell nothing. */
const mostUnknown = 0.05;
/**
 * More requests than these tell no more: a router divides only so exactly, and with millions every rounding of its
 * would be significant. Here a deviation of about two percent points is; it also bounds the work.
 */
const mostCounted = 2_000;

/** Whether what was seen may come from that weight (whole percent on the candidate), and what was seen. */
export function agrees(weight: number, { candidate, stable, unknown }: SeenShare): { holds: boolean; because: string } {
  const known = candidate + stable;
  const because = `${candidate} of ${known} requests were answered by the candidate${unknown === 0 ? '' : `, ${unknown} by nobody known`}`;
  if (known === 0 || unknown > mostUnknown * (known + unknown)) return { holds: false, because };
  if (weight === 0) return { holds: candidate === 0, because };
  if (weight === 100) return { holds: stable === 0, because };
  const share = weight / 100;
  const count = Math.min(known, mostCounted);
  const part = Math.round((candidate * count) / known);
  const low = tail(part, count, share);
  const high = tail(count - part, count, 1 - share);
  return { holds: low >= doubt && high >= doubt, because };
}

/** The chance of at most `most` of `count` at that share: the binomial distribution, summed from its logarithms. */
function tail(most: number, count: number, share: number): number {
  let term = count * Math.log(1 - share);
  let sum = Math.exp(term);
  for (let k = 1; k <= most; k++) {
    term += Math.log((count - k + 1) / k) + Math.log(share / (1 - share));
    sum += Math.exp(term);
  }
  return sum;
}
