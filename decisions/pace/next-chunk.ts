/** Where a backfill stands: the next page, and which of the striped passes goes over the present super-chunk. */
export interface Position {
  readonly page: number;
  readonly pass: number;
}

/**
 * How a range of pages is gone over: `stripes` passes over each run of `superPages` pages, from `fromPage` (missing: the
 * first; else a multiple of `superPages`) up to `endPage` (exclusive).
 */
export interface Ground {
  readonly stripes: number;
  readonly superPages: number;
  readonly fromPage?: number;
  readonly endPage: number;
}

/** One chunk: pages from (inclusive) to (exclusive) in one pass, and where the backfill stands after it. */
export interface PlannedChunk {
  readonly from: number;
  readonly to: number;
  readonly pass: number;
  readonly next: Position;
}

/** Plans the next chunk of at most `pages` pages; null: there is none, the planner alone says when the end is reached. */
export function nextChunk(
  { page, pass }: Position,
  { stripes, superPages, endPage }: Ground,
  pages: number,
): PlannedChunk | null {
  if (page >= endPage) return null;
  const base = Math.floor(page / superPages) * superPages;
  const end = Math.min(base + superPages, endPage);
  const to = Math.min(page + Math.max(1, pages), end);
  return { from: page, to, pass, next: after({ to, pass, base, end, stripes }) };
}

function after(chunk: { to: number; pass: number; base: number; end: number; stripes: number }): Position {
  const { to, pass, base, end, stripes } = chunk;
  if (to < end) return { page: to, pass };
  return pass + 1 < stripes ? { page: base, pass: pass + 1 } : { page: end, pass: 0 };
}

/** Where plain order goes on when stripes are left: pages of the present super-chunk still lack their later passes. */
export const inPlainOrder = ({ page, pass }: Position, { superPages, endPage }: Ground): Position =>
  page >= endPage ? { page, pass } : { page: Math.floor(page / superPages) * superPages, pass };

/** How many pages of its range are done; a page that some of the passes have gone over counts in part. */
export function pagesDone({ page, pass }: Position, { stripes, superPages, fromPage = 0, endPage }: Ground): number {
  const all = Math.max(0, endPage - fromPage);
  if (page >= endPage) return all;
  const base = Math.floor(page / superPages) * superPages;
  const size = Math.min(superPages, endPage - base);
  const within = stripes === 1 ? page - base : (size * pass + (page - base)) / stripes;
  return Math.min(all, base - fromPage + within);
}
