import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

/** The environment of a process whose clock is so many ms ahead of everybody else's; less than 0: behind. */
export const otherClock = (aheadMs: number): Readonly<Record<string, string>> => ({
  NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, 'other-clock.mjs')).href}`,
  CLOCK_AHEAD_MS: String(aheadMs),
});
