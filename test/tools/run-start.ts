import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findHome } from '../../tools/home.ts';
import { isRunning, type ProcessIdentity } from '../../tools/processes/identity.ts';
import { sweep } from '../../tools/processes/records.ts';
import { processEnv } from '../support/servers.ts';

/** One `npm start` of a test, in a process group of its own as at a terminal. */
export interface Start {
  /** All that it has said so far. */
  readonly output: () => string;
  readonly says: (text: string) => Promise<void>;
  /** What Ctrl-C at a terminal sends to every process of the foreground. */
  readonly pressCtrlC: () => void;
  /** Settles with the exit code. */
  readonly ended: Promise<number | null>;
}

/** A folder that `npm start` keeps its state in, with the binaries that this machine has already. */
export interface TestHome {
  readonly folder: string;
  readonly start: (args?: readonly string[], env?: NodeJS.ProcessEnv) => Start;
  /** The processes that are on record, by name. */
  readonly processes: () => Promise<Readonly<Record<string, ProcessIdentity>>>;
  readonly supervisor: () => Promise<ProcessIdentity>;
  readonly remove: () => Promise<void>;
}

const script = fileURLToPath(new URL('../../tools/start.mjs', import.meta.url));

/** Polls until the condition holds; fails with what was waited for. */
export async function until(
  what: string | (() => string),
  condition: () => boolean | Promise<boolean>,
  withinMs = 100_000,
): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > end)
      throw new Error(`waited ${withinMs} ms in vain until ${typeof what === 'string' ? what : what()}`);
    await sleep(50);
  }
}

/** Makes a folder for one test; `remove` also ends what a failed test has left. */
export async function makeTestHome(): Promise<TestHome> {
  const folder = await mkdtemp(join(tmpdir(), 'lakeshift-start-'));
  const records = join(folder, 'run', 'processes');
  const starts: Start[] = [];
  // The file is the supervisor's own.
  const supervisor = async (): Promise<ProcessIdentity> =>
    JSON.parse(await readFile(join(folder, 'run', 'supervisor.json'), 'utf8')) as ProcessIdentity;
  return {
    folder,
    supervisor,
    start: (args = ['--no-demo'], env = {}) => {
      const start = run(folder, args, env);
      starts.push(start);
      return start;
    },
    processes: async () => {
      const names = (await readdir(records)).filter((name) => name.endsWith('.json'));
      const texts = await Promise.all(names.map((name) => readFile(join(records, name), 'utf8')));
      // The files are the supervisor's own.
      const found = texts.map((text) => JSON.parse(text) as { what: string; process: ProcessIdentity });
      return Object.fromEntries(found.map(({ what, process: identity }) => [what, identity]));
    },
    remove: async () => {
      const left = await supervisor().catch(() => null);
      if (left !== null && (await isRunning(left))) process.kill(left.pid, 'SIGTERM');
      await Promise.all(starts.map((start) => start.ended));
      await sweep(records);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function run(folder: string, args: readonly string[], env: NodeJS.ProcessEnv): Start {
  const anyPort = Object.fromEntries(
    ['API', 'TEMPORAL', 'UI', 'POSTGRES'].map((name) => [`LAKESHIFT_${name}_PORT`, '0']),
  );
  const { TEMPORAL_ADDRESS: _t, LAKESHIFT_DATABASE_URL: _d, LAKESHIFT_CONFIG: _c, ...rest } = process.env;
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...rest, ...processEnv(), LAKESHIFT_HOME: folder, LAKESHIFT_CACHE: findHome().cache, ...anyPort, ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  // The event's arguments are the exit code, null after a signal, and the signal.
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    output: () => output,
    says: async (text) => {
      await until(
        () => `it says "${text}", not only:\n${output}`,
        () => output.includes(text) || child.exitCode !== null,
      );
      if (!output.includes(text)) throw new Error(`it ended without saying "${text}":\n${output}`);
    },
    pressCtrlC: () => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGINT');
    },
    ended,
  };
}
