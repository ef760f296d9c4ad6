/** How long to wait after so many bad answers in a row, ms: twice as long each time, up to the longest. */
export const backoff = (everyMs: number, longestMs: number, bad: number): number =>
  Math.max(everyMs, Math.min(longestMs, everyMs * 2 ** Math.min(Math.max(bad - 1, 0), 30)));
