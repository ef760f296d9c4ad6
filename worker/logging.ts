import { DefaultLogger, type LogEntry, type LogLevel } from '@temporalio/worker';
import { pino, type Logger } from 'pino';
import { failures } from '../contracts/failures.ts';

/** A logger that writes one JSON object a line. Of an error it keeps what may be known: see `describe`. */
export const createLog = (level: string): Logger =>
  pino({ level, base: { part: 'worker' }, serializers: { error: describe, err: describe } });

/** Temporal's own messages, in the same log. */
export const temporalLogger = (log: Logger): DefaultLogger =>
  new DefaultLogger(levels[log.level] ?? 'INFO', ({ level, message, meta }: LogEntry) => {
    log[names[level]](meta ?? {}, message);
  });

/**
 * What is logged of an error. Only our own failures speak for themselves; the message of any other one, a driver's
 * above all, may hold a row's value or a password, so its name and code have to do.
 */
export function describe(error: unknown): object {
  if (!(error instanceof Error)) return { name: typeof error };
  const type = textOf(error, 'type');
  const ours = type !== null && Object.hasOwn(failures, type) ? { type, detail: error.message } : {};
  const cause = error.cause === undefined ? {} : { cause: describe(error.cause) };
  return { name: error.name, code: textOf(error, 'code'), ...ours, ...cause, stack: frames(error) };
}

function textOf(error: Error, field: string): string | null {
  const value: unknown = Reflect.get(error, field);
  return typeof value === 'string' ? value : null;
}

/** A stack without its first lines, which repeat the message. */
const frames = ({ stack = '' }: Error): string[] =>
  stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 8)
    .map((line) => line.trim());

const levels: Readonly<Record<string, LogLevel>> = {
  trace: 'TRACE',
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARN',
  error: 'ERROR',
  fatal: 'ERROR',
  silent: 'ERROR',
};

const names = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
