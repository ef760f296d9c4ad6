import type { KeepStage, ShiftStage } from '../../contracts/plan.ts';
import { formatDuration } from '../duration.ts';

/**
 * The old side stays ready for a while; no stage where it does not. A side that needs something besides itself is looked
 * after until then: the same share once more, with nothing to be judged by.
 */
export function kept(forMs: number, old: string, share: ShiftStage | undefined): readonly (KeepStage | ShiftStage)[] {
  if (forMs === 0) return [];
  const name = 'keep';
  const title = `${old} is kept ready for ${formatDuration(forMs)}`;
  if (share?.dependencies !== undefined)
    return [{ ...share, name, title, approve: null, estimateMs: forMs, forMs, gate: null }];
  return [{ kind: 'keep', name, title, undoTitle: 'nothing to take back', approve: null, estimateMs: forMs, forMs }];
}
