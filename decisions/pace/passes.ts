/** Parts that the rows of a page fall into: a prime, so that keys in any regular step spread evenly. */
const parts = 97;
/** Share of a full page that leaves it first: more than a tenth would fill the pages of an index faster than they are tidied. */
const leaving = 0.1;
/** How much less the next pass takes, because every row that stays has grown. */
const shrink = 0.9;
/** Of the room that pages keep, what one pass may take so that it fits together with what the rows grow by. */
const fits = 0.7;

/**
 * Where the passes over a page begin and end, in parts of 97, from 0 to 97. On a full page the rows of the first pass
 * have to leave, and what they leave is all the room that there is: each later pass takes what fits, each a little
 * less. So most updates stay on their page and touch no index. Pages with room of their own need few, equal passes.
 */
export function passesFor(page: { readonly rowsPerPage: number; readonly fillfactor: number }): readonly number[] {
  // fewer rows of a page in a pass would be all overhead: each pass reads all of them
  const least = Math.max(2, Math.ceil((3.2 / page.rowsPerPage) * parts));
  if (least * 3 > parts) return [0, parts];
  const room = (100 - page.fillfactor) / 100;
  const roomy = room > leaving;
  const cuts = [0];
  for (let step = (roomy ? room * fits : leaving) * parts; ; step *= roomy ? 1 : shrink) {
    const next = (cuts.at(-1) ?? 0) + Math.max(least, Math.round(step));
    if (next > parts - least / 2) return [...cuts, parts];
    cuts.push(next);
  }
}
