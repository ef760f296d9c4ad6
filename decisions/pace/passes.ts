/** Parts that the rows of a page fall into: a prime, so that keys in any regular step spread evenly. */
const parts = 97;

/**
 * Where the passes over a page begin and end, in parts of 97, from 0 to 97. On a full page the rows of the first pass
 * have to leave, and what they leave is all the room that there is: each later pass takes what fits, and as every row
 * grows a little, each next one less. So most updates stay on their page and touch no index. Pages with room of their
 * own need few passes.
 */
export function passesFor(page: { readonly rowsPerPage: number; readonly fillfactor: number }): readonly number[] {
  // fewer than two rows in a pass would be all overhead
  const least = Math.max(2, Math.ceil((2.4 / page.rowsPerPage) * parts));
  if (least * 3 > parts) return [0, parts];
  const room = Math.max(0.12, (100 - page.fillfactor) / 100);
  const cuts = [0];
  for (let step = Math.max(least, Math.round(room * parts)); ; step *= shrink) {
    const next = (cuts.at(-1) ?? 0) + Math.max(least, Math.round(step));
    cuts.push(Math.min(parts, next));
    if (next >= parts) return cuts;
  }
}

const shrink = 0.9;
