import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The repository's root. */
export const root = fileURLToPath(new URL('../../..', import.meta.url));

/** What a script gave. */
export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A script that runs. */
export interface Running {
  readonly done: Promise<Finished>;
  /** What it has printed so far. */
  readonly said: () => string;
  /** Sends a signal to it alone, as a CI does that cancels a job. */
  readonly kill: (signal: NodeJS.Signals) => void;
}

/** Starts bash with these arguments in the repository's root. `env` is all that it sees, beside the PATH. */
export function startBash(args: readonly string[], env: Readonly<Record<string, string>>): Running {
  const child = spawn('bash', args, {
    cwd: root,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const done = new Promise<Finished>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
  return { done, said: () => out + err, kill: (signal) => void child.kill(signal) };
}

/** Runs bash to its end. */
export const runBash = (args: readonly string[], env: Readonly<Record<string, string>>): Promise<Finished> =>
  startBash(args, env).done;
