import type { ShadowSpec } from '../../contracts/release-spec.ts';

/** Where a spec says nothing. */
export const usualAgree = '99%';
export const usualAtLeast = 1_000;
/** Of `atLeast`: five looks. */
const usualTimes = 16;

/** At how many compared answers a shadow is judged: each time twice as many, and last at the most. */
export function looksOf({ atLeast = usualAtLeast, atMost = atLeast * usualTimes }: ShadowSpec): readonly number[] {
  const looks: number[] = [];
  for (let look = atLeast; look < atMost; look *= 2) looks.push(look);
  return [...looks, atMost];
}
