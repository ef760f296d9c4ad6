import type { Verdict } from '../contracts/gate.ts';
import type { ShadowStage } from '../contracts/plan.ts';
import type { PointerCount, Shadow } from '../contracts/progress.ts';
import { intervalOf } from './interval.ts';

type Bounds = Pick<ShadowStage, 'looks' | 'agree'>;

/** How often all looks together may be wrong. */
const doubt = 0.05;

/**
 * The confidence of the interval at each look, 0 to 1: looking often is right by chance once, so the looks share the
 * doubt among them (Bonferroni).
 */
export const confidenceOf = ({ looks }: Pick<Bounds, 'looks'>): number => 1 - doubt / looks.length;

/** How many answers have to be compared until the next look; 0: it is due, or there is none any more. */
export const untilLook = ({ looks }: Pick<Bounds, 'looks'>, compared: number): number =>
  Math.max(0, (looks.find((look) => look > compared) ?? compared) - compared);

/** Whether even answers that all agree could show so much agreement at the last look. */
export const canBeShown = ({ looks, agree }: Bounds): boolean => {
  const last = looks.at(-1) ?? 0;
  return intervalOf(last, last, confidenceOf({ looks })).low >= agree;
};

/**
 * Says what has been compared means, at a look. `promote`: at least the wanted share agrees, beyond doubt; `rollback`:
 * less does, beyond doubt; else `hold`.
 */
export function judgeShadow(stage: Bounds, shadow: Shadow): Verdict {
  const { compared, agreed } = shadow;
  const { low, high } = intervalOf(agreed, compared, confidenceOf(stage));
  const because = `${agreementWords(shadow)}${mostly(shadow.differs)}`;
  if (low >= stage.agree) return { decision: 'promote', because };
  return {
    decision: high < stage.agree ? 'rollback' : 'hold',
    because: `${because}; ${shareWords(stage.agree)} is wanted`,
  };
}

/** `998 of 1,000 answers agree (99.80 %; 99.10 to 99.98 % at 99 %), of 20 different requests`. */
export function agreementWords({ compared, agreed, interval, requests }: Shadow): string {
  const within =
    interval === null
      ? ''
      : `; ${shareWords(interval.low).replace(' %', '')} to ${shareWords(interval.high)} at ${shareWords(interval.confidence)} confidence`;
  const share = compared === 0 ? '' : ` (${shareWords(agreed / compared)}${within})`;
  return `${agreed} of ${compared} answers agree${share}, to ${requests} different requests`;
}

/** So many pointers stand in a reason; the report has all. */
const named = 3;

const mostly = (differs: readonly PointerCount[]): string =>
  differs.length === 0
    ? ''
    : `; they differ in ${differs
        .slice(0, named)
        .map(({ at, count }) => `${at} (${count})`)
        .join(', ')}${differs.length > named ? ' …' : ''}`;

/** A share, 0 to 1, in percent. A doubt is never rounded away: 99.996 % is not 100. */
const shareWords = (share: number): string => {
  const percent = share * 100;
  const text = percent.toFixed(2);
  return `${text === '100.00' && percent < 100 ? '99.99' : text.replace(/\.?0+$/, '')} %`;
};
