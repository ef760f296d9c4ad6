/** Pages from (inclusive) to (exclusive). */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Shares the pages of one heap out into at most `count` ranges that begin with a whole super-chunk; at least one. */
export function rangesOf(pages: number, count: number, superPages: number): readonly Range[] {
  const supers = Math.max(1, Math.ceil(pages / superPages));
  const parts = Math.max(1, Math.min(count, supers));
  const border = (part: number): number => Math.floor((supers * part) / parts) * superPages;
  return Array.from({ length: parts }, (_, part) => ({
    from: border(part),
    to: part + 1 === parts ? pages : border(part + 1),
  }));
}

/** How many ranges one heap gets: no more than the plan allows, none too small to be worth a connection. */
export const rangeCount = (pages: number, { atMost, minPages }: { atMost: number; minPages: number }): number =>
  Math.max(1, Math.min(atMost, Math.floor(pages / minPages)));
