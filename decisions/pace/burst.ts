/** What chunks of one pass have lately found on a page, in the mean; each new one counts more than those before. */
export interface Found {
  readonly rows: number;
  /** Of them, how many left the page. */
  readonly cold: number;
}

/** What one page is expected to ask for in a pass. */
export interface PageWork {
  readonly rows: number;
  /** In rows that stay on their page. */
  readonly work: number;
}

/** What a row costs that leaves its page, and needs an entry in every index, in rows that stay; as measured. */
const leaving = 5;
/** What a page costs that a pass reads, whatever it finds there. */
const reading = 1.5;
/** How much a chunk counts beside all before it. */
const newest = 0.3;

/** Takes over what one more chunk has found; `hot`: how many rows stayed on their page, null: not counted. */
export function find(
  before: Found | null,
  { pages, rows, hot }: { readonly pages: number; readonly rows: number; readonly hot: number | null },
): Found {
  // not counted: as if every fourth had left, which is dearer than most
  const now = { rows: rows / pages, cold: (rows - (hot ?? rows * 0.75)) / pages };
  if (before === null) return now;
  const mean = (old: number, latest: number): number => old + (latest - old) * newest;
  return { rows: mean(before.rows, now.rows), cold: mean(before.cold, now.cold) };
}

/** What a page of a pass asks for. `rows`: how many are expected on it; `first`: of the passes, which makes the room. */
export function workOf(found: Found | null, rows: number, first: boolean): PageWork {
  if (found === null) return { rows, work: reading + rows * (first ? 2 * leaving : 2) };
  // where few were left to rewrite, the next page may have all
  return { rows: found.rows, work: Math.max(reading + found.rows + found.cold * (leaving - 1), rows / 2) };
}
