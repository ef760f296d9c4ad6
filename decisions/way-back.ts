import type { StageKind } from '../contracts/catalog.ts';
import type { WayBack } from '../contracts/progress.ts';

/**
 * Whether one can still go back, from the count of writes that the old shape could not hold (`misfits`; null: it
 * could not be measured) and the kind of stage that has begun last. `since` stays while nothing has changed.
 */
export function wayBackOf(before: WayBack, begun: StageKind, misfits: number | null, now: number): WayBack {
  const found = judged(begun, misfits);
  const same = found.verdict === before.verdict && found.rows === before.rows;
  return { ...found, since: same ? before.since : now, lookedAt: now };
}

function judged(begun: StageKind, misfits: number | null): Pick<WayBack, 'verdict' | 'rows' | 'because'> {
  if (begun === 'contract') return { verdict: 'no', rows: null, because: 'the old shape is being removed' };
  // Nobody could see: what is not proved to be lossless is not promised to be.
  if (misfits === null) return { verdict: 'losing', rows: null, because: 'it could not be measured' };
  if (misfits === 0) return { verdict: 'lossless', rows: 0, because: 'the old shape holds every write' };
  return { verdict: 'losing', rows: misfits, because: `the old shape cannot hold ${misfits} writes` };
}
