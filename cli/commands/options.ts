import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../../decisions/duration.ts';

/** Reads a duration of the command line into ms. */
export function durationOption(text: string): number {
  const ms = parseDuration(text);
  if (ms === null || ms <= 0) throw new InvalidArgumentError('write 90s, 12h, 7d or P7D.');
  return ms;
}

/** Reads a whole number of at least 1, or `none`. */
export function rateOption(text: string): number | 'none' {
  if (text === 'none') return 'none';
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError('write a whole number of rows per second, or none.');
  return Number(text);
}

/** Reads the whole hash of a plan: a beginning of it could mean another one. */
export function planOption(text: string): string {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new InvalidArgumentError('write all 64 hex digits of its hash.');
  return text;
}

/** Collects an option that may be given several times. */
export const repeated = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
