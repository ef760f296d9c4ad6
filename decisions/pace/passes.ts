/** Parts that the rows of a page fall into: a prime, so that keys in any regular step spread evenly. */
const parts = 97;
/**
 * Parts of a full page that leave it first: as many as a page of an index in the table's order can take in until it is
 * tidied. Spread by the hash of their place, some of its pages get more than others.
 */
const leaving = { even: 12, byPlace: 10 };
/** How much less the next pass takes, because every row that stays has grown. */
const shrink = 0.9;
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
 * Where the passes over a page begin and end, in parts of 97, from 0 to 97. On a full page the rows of the first pass
 * have to leave, and what they leave is all the room that there is: each later pass takes what fits, each a little
 * less. So most updates stay on their page and touch no index. Pages with room of their own need few, equal passes.
 */
export function passesFor(page: Page): readonly number[] {
  // fewer rows of a page in a pass would be all overhead: each pass reads all of them
  const least = Math.max(2, Math.ceil((3.2 / page.rowsPerPage) * parts));
  if (least * 3 > parts) return [0, parts];
  const room = (1 - page.fillfactor / 100) * parts;
  const first = page.even ? leaving.even : leaving.byPlace;
  const roomy = room > first;
  const cuts = [0];
  for (let step = roomy ? room * fits : first; ; step *= roomy ? 1 : shrink) {
    const next = (cuts.at(-1) ?? 0) + Math.max(least, Math.round(step));
    if (next > parts - least / 2) return [...cuts, parts];
    cuts.push(next);
  }
}
