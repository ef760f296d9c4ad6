import type { ComparedCounts, Comparison, PartOfWhole, Verdict } from '../contracts/gate.ts';

/** How likely a side may be wronged by chance, over all looks of a step together. */
const doubt = 0.01;
/** Of how many counts the interval is narrowest for what it is; it holds for any other number too. */
const tunedFor = 5_000;

/**
 * Whether the candidate's part is as good as that of the stable side, but for the margin: `promote` when it surely is,
 * `rollback` when it surely is not, else `hold`.
 *
 * The difference of both parts lies in an interval that holds at all looks together (an asymptotic confidence sequence:
 * Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Time-uniform central limit theory, 2024, Theorem 2.2): one may look as
 * often as one likes, and end when one likes.
 */
export function judgeComparison(comparison: Comparison, counts: ComparedCounts | null): Verdict {
  const { name, margin, atLeast } = comparison;
  if (counts === null) return { decision: 'hold', because: `${name}: not measured in the last window` };
  const { candidate, stable } = counts;
  const odd = [candidate, stable].find(({ part, whole }) => part > whole);
  if (odd !== undefined)
    return { decision: 'hold', because: `${name}: ${odd.part} of ${odd.whole} were counted, which can not be` };
  const few = Math.min(candidate.whole, stable.whole);
  if (few < atLeast)
    return { decision: 'hold', because: `${name}: ${Math.round(few)} counted on one side, fewer than ${atLeast}` };
  const { least, most } = interval(comparison, counts);
  const because = `${name} ${percent(shareOf(candidate))} beside ${percent(shareOf(stable))}`;
  if (most < -margin) return { decision: 'rollback', because: `${because}, worse by more than ${percent(margin)}` };
  if (least > -margin) return { decision: 'promote', because };
  return { decision: 'hold', because: `${because}: too few to tell whether worse by more than ${percent(margin)}` };
}

/** By how much the candidate is better, at least and at most. */
function interval({ better }: Comparison, { candidate, stable }: ComparedCounts) {
  const [one, other] = [smoothed(candidate), smoothed(stable)];
  const ahead = (shareOf(one) - shareOf(other)) * (better === 'more' ? 1 : -1);
  const width = Math.sqrt(varianceOf(one) + varianceOf(other)) * timesSigma(one.whole + other.whole);
  return { least: ahead - width, most: ahead + width };
}

/** One more of either kind: nothing that was counted makes a side certain (Agresti and Caffo). */
const smoothed = ({ part, whole }: PartOfWhole): PartOfWhole => ({ part: part + 1, whole: whole + 2 });

const shareOf = ({ part, whole }: PartOfWhole): number => part / whole;
const varianceOf = (side: PartOfWhole): number => (shareOf(side) * (1 - shareOf(side))) / side.whole;

/** How many standard errors on either side, of that many counts. */
function timesSigma(count: number): number {
  const alpha = 2 * doubt;
  const tuned = -2 * Math.log(alpha) + Math.log(1 - 2 * Math.log(alpha));
  const information = (count * tuned) / tunedFor + 1;
  return Math.sqrt((2 * information * Math.log(Math.sqrt(information) / alpha)) / (information - 1));
}

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
