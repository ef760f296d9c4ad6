import type { CountsByPointer, ShadowFacts } from '../../contracts/shadow.ts';

/** A slice of a shadow: of the wanted comparisons so many differ; with `silent` the stable side has answered nothing. */
export const comparison =
  ({ differ = 0, silent = 0, differs = {} }: { differ?: number; silent?: number; differs?: CountsByPointer } = {}) =>
  (wanted: number): ShadowFacts => {
    const compared = silent > 0 ? 0 : wanted;
    const counts = [0, compared, ...Array.from({ length: 55 }, () => 0)];
    return {
      compared,
      agreed: compared - Math.min(differ, compared),
      silent,
      differs,
      noise: {},
      latency: { stable: counts, candidate: counts },
      requests: 20,
      next: wanted % 20,
    };
  };
