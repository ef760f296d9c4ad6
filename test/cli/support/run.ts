import { runCli } from '../../../cli/program.ts';
import { now } from './fixtures.ts';

/** What one command line gave. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Where and how a command line is run. */
export interface RunOptions {
  readonly api?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly isTerminal?: boolean;
  readonly signal?: AbortSignal;
}

/** Runs a command line in this process, with nothing of the machine's own environment. */
export async function lakeshift(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  let out = '';
  let err = '';
  const code = await runCli(args, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    env: {
      LAKESHIFT_HOME: '/nonexistent',
      ...(options.api === undefined ? {} : { LAKESHIFT_API: options.api }),
      ...options.env,
    },
    isTerminal: options.isTerminal ?? false,
    now: () => now,
    signal: options.signal ?? new AbortController().signal,
  });
  return { code, out, err };
}
