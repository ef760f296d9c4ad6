const number = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** `1,000,000`. */
export const count = (value: number): string => number.format(value);

/** `1 view`, `2 indexes`, `no triggers`. */
export const some = (value: number, one: string, many = `${one}s`): string =>
  value === 0 ? `no ${many}` : `${count(value)} ${value === 1 ? one : many}`;

/** Milliseconds for people, in its one or two largest units: `9 ms`, `12 s`, `4 min 10 s`, `2 h 5 min`, `7 days`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${trimmed(ms / 1_000)} s`;
  if (ms < 60_000) return `${Math.round(ms / 1_000)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return pair(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return pair(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(minutes / 60);
  return pair(Math.floor(hours / 24), 'days', hours % 24, 'h');
}

/** Bytes for people, in powers of 1024: `142 MB`, `1.5 GB`. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let rest = value;
  let unit = 0;
  while (rest >= 1_000 && unit < units.length - 1) {
    rest /= 1_024;
    unit++;
  }
  return `${rest < 10 && unit > 0 ? trimmed(rest) : Math.round(rest)} ${units[unit] ?? ''}`;
}

/** Epoch ms as `2026-07-31 14:05:09` UTC. */
export const moment = (at: number): string => new Date(at).toISOString().slice(0, 19).replace('T', ' ');

/** How long ago: `12 s ago`. */
export const ago = (at: number, now: number): string => `${duration(Math.max(0, now - at))} ago`;

/** Whole percent of `done` in `all`, never 100 before it is all; null when it can't be told. */
export function percent(done: number | null, all: number | null): number | null {
  if (done === null || all === null || all <= 0) return null;
  return done >= all ? 100 : Math.min(99, Math.floor((done / all) * 100));
}

/** `█████░░░░░`. */
export function bar(share: number, width: number): string {
  const full = Math.round((Math.min(100, Math.max(0, share)) / 100) * width);
  return '█'.repeat(full) + '░'.repeat(width - full);
}

/** The beginning of a hash, as people quote it. */
export const shortHash = (hash: string): string => `${hash.slice(0, 8)}…`;

const trimmed = (value: number): string => value.toFixed(1).replace(/\.0$/, '');
const pair = (a: number, unitA: string, b: number, unitB: string): string =>
  b === 0 ? `${a} ${unitA}` : `${a} ${unitA} ${b} ${unitB}`;
