/** What the backfill has done to one heap so far. */
export interface HeapCount {
  /** Rows that the heap has, as far as the plan can tell. */
  readonly rows: number;
  /** Rows rewritten that left their page, and so an entry behind in every index. */
  readonly cold: number;
}

/** Below this the indexes of a heap are not worth a vacuum, rows that left their page. */
const least = 1_000;

/** Whether enough entries have died in the indexes of a heap since it had `before` cold rows; `share`: of all its rows. */
export const isVacuumDue = (before: number, { rows, cold }: HeapCount, share: number): boolean =>
  cold - before >= Math.max(least, share * rows);
