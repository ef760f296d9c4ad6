import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { remember } from './records.ts';
import { politely, type Escalation } from './stop.ts';

/** What to start and where its output goes. */
export interface Launch {
  /** For the record, and for people. */
  readonly what: string;
  readonly command: string;
  readonly args: readonly string[];
  /** File that stdout and stderr are appended to; created with mode 600. */
  readonly logFile: string;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Gives it an IPC channel, so that a Node child notices when we are gone. */
  readonly ipc?: boolean;
  /** Folder of records: should we die first, whoever comes next finds it there and ends it. */
  readonly recordIn?: string | undefined;
  readonly escalation?: Escalation;
  /** Its own process group, so that a Ctrl-C at the terminal does not reach it. */
  readonly ownGroup?: boolean;
}

/** A process that was started. */
export type Launched = ChildProcess & {
  readonly pid: number;
  /** Settles when it is gone, for whatever reason. */
  readonly ended: Promise<void>;
  /** What it has written since it was started. */
  readonly said: () => Promise<string>;
};

/** Starts a process; it does not keep ours alive. Rejects when the command can't be run at all. */
export async function launch(what: Launch): Promise<Launched> {
  await mkdir(dirname(what.logFile), { recursive: true });
  const log = await open(what.logFile, 'a', 0o600);
  try {
    const { size } = await log.stat();
    const child = spawn(what.command, what.args, {
      stdio: ['ignore', log.fd, log.fd, ...(what.ipc === true ? (['ipc'] as const) : [])],
      detached: what.ownGroup ?? false,
      env: what.env ?? process.env,
      ...(what.cwd === undefined ? {} : { cwd: what.cwd }),
      ...what.user,
    });
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    return await follow(child, what, size);
  } finally {
    await log.close();
  }
}

async function follow(child: ChildProcess, what: Launch, logFrom: number): Promise<Launched> {
  const { pid } = child;
  if (pid === undefined) throw new Error(`${what.command} has no pid`);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.unref();
  if (what.recordIn !== undefined) {
    const forget = await remember(what.recordIn, what.what, pid, what.escalation ?? politely);
    void ended.then(forget);
  }
  const said = async (): Promise<string> => (await readFile(what.logFile)).subarray(logFrom).toString('utf8');
  return Object.assign(child, { pid, ended, said });
}

/** The latest line that says why a server has ended; a word of excuse when there is none. */
export async function lastWords(server: Launched): Promise<string> {
  const lines = (await server.said()).trimEnd().split('\n').reverse();
  const telling = lines.find((line) => /\b(fatal|panic|error)\b/i.test(line)) ?? lines[0] ?? '';
  return telling.trim().slice(0, 300) || 'it said nothing';
}
