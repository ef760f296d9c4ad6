/**
 * The share of a full page's rows that leave it first: as many as a page of an index in the table's order can take in
 * until it is tidied.
 */
const leaving = 0.124;
/** How much less the next pass takes than the first. */
const afterFirst = 0.9;
/**
 * How much less each further one takes: of 8,168 bytes, a row that stays needs eight more for its new value and four for
 * another line pointer. A fifth less than that, because the passes at the end may well take more than fits.
 */
const shrinkOf = (rowsPerPage: number): number => 1 - (0.8 * rowsPerPage * (8 + 4)) / 8_168;
/** Parts by the hash of their place, also a prime; the first pass and how much less each next takes. */
const byHash = { parts: 97, leaving: 10, shrink: 0.9 };
/** Of the room that pages keep, what one pass may take so that it fits together with what the rows grow by. */
const fits = 0.7;

/** What is known of the pages of a table. */
export interface Page {
  readonly rowsPerPage: number;
  /** Percent. */
  readonly fillfactor: number;
  /** The parts are told apart by a key that counts up, so that each has as many rows of every page as any other. */
  readonly even: boolean;
}

/**
 * Where the passes over a page begin and end, in parts of a prime, from 0 up to it. On a full page the rows of the first
 * pass have to leave, and what they leave is all the room that there is: each later pass takes what fits, each a little
 * less. So most updates stay on their page and touch no index. Pages with room of their own need few, equal passes.
 */
export function passesFor(page: Page): readonly number[] {
  return page.even ? byKey(page) : byPlace(page);
}

/** As many parts as a page has rows: then each part has one row of every page, and a pass takes what was reckoned. */
function byKey({ rowsPerPage, fillfactor }: Page): readonly number[] {
  const parts = primeFrom(rowsPerPage);
  // fewer rows of a page in a pass would be all overhead: each pass reads all of them
  const enough = Math.max(Math.round((3 * parts) / rowsPerPage), Math.round(0.036 * parts));
  if (enough * 3 > parts) return [0, parts];
  const room = (1 - fillfactor / 100) * parts;
  const first = leaving * parts;
  // but of few rows, no more than the first pass makes room for
  const least = Math.min(enough, Math.max(2, Math.floor(first)));
  if (room > first) return equal(parts, Math.max(enough, room * fits));
  const cuts = [0, Math.max(1, Math.floor(first))];
  for (let step = first * afterFirst; ; step *= shrinkOf(rowsPerPage)) {
    const size = Math.max(least, Math.round(step));
    const next = (cuts.at(-1) ?? 0) + size;
    if (next > parts - size / 2) return [...cuts, parts];
    cuts.push(next);
  }
}

function equal(parts: number, size: number): readonly number[] {
  const count = Math.max(1, Math.round(parts / size));
  return Array.from({ length: count + 1 }, (_, index) => Math.round((index * parts) / count));
}

function byPlace({ rowsPerPage, fillfactor }: Page): readonly number[] {
  // some pages of an index get more of the first pass than others
  const { parts, leaving: first, shrink } = byHash;
  const least = Math.max(2, Math.ceil((3.2 / rowsPerPage) * parts));
  if (least * 3 > parts) return [0, parts];
  const room = (1 - fillfactor / 100) * parts;
  const roomy = room > first;
  const cuts = [0];
  for (let step = roomy ? room * fits : first; ; step *= roomy ? 1 : shrink) {
    const next = (cuts.at(-1) ?? 0) + Math.max(least, Math.round(step));
    if (next > parts - least / 2) return [...cuts, parts];
    cuts.push(next);
  }
}

/** The next prime: keys in any regular step spread evenly over it. */
function primeFrom(least: number): number {
  for (let number = Math.max(2, Math.ceil(least)); ; number++) if (isPrime(number)) return number;
}

const isPrime = (number: number): boolean =>
  Array.from({ length: Math.floor(Math.sqrt(number)) - 1 }, (_, index) => index + 2).every(
    (divisor) => number % divisor > 0,
  );
