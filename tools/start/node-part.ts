import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch, type Launched } from '../processes/launch.ts';
import { stopPid } from '../processes/stop.ts';
import { ToolFailure } from '../tool-failure.ts';
import type { Part, Running } from './part.ts';

/** One of our own programs. */
export interface NodePart {
  readonly name: string;
  /** From the repository's root. */
  readonly file: string;
  readonly env: NodeJS.ProcessEnv;
  readonly logFolder: string;
  readonly recordIn: string;
  /** Hears the address that the program announces, when it announces one. */
  readonly onAddress?: (address: string) => void;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const readyWithinMs = 60_000;

/** A program of ours as a part: it runs in a process group of its own and ends by itself when we are gone. */
export function nodePart(what: NodePart): Part {
  return { name: what.name, start: () => start(what) };
}

async function start(what: NodePart): Promise<Running> {
  const logFile = join(what.logFolder, `${what.name.toLowerCase()}.log`);
  const child = await launch({
    what: what.name,
    command: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', join(root, what.file)],
    cwd: root,
    env: { ...what.env, LAKESHIFT_SUPERVISED: '1' },
    logFile,
    ipc: true,
    ownGroup: true,
    recordIn: what.recordIn,
  });
  const stop = async (): Promise<void> => {
    await stopPid(child.pid);
  };
  const address = await ready(child, what.name, logFile).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  if (address !== null) what.onAddress?.(address);
  return { pid: child.pid, ended: child.ended, stop };
}

/** Waits for `{ ready: true, address? }` on the IPC channel. */
function ready(child: Launched, name: string, logFile: string): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const fail = (line: string): void => reject(new ToolFailure(`${line} (log: ${logFile})`));
    const late = setTimeout(() => fail(`the ${name} was not ready within ${readyWithinMs / 1000} s`), readyWithinMs);
    child.on('message', (message) => {
      if (!isReady(message)) return;
      clearTimeout(late);
      resolve(message.address ?? null);
    });
    void child.ended.then(async () => {
      clearTimeout(late);
      fail(`the ${name} did not start: ${await plainWords(child)}`);
    });
  });
}

/** Our programs log JSON; what they say in plain words, of a configuration above all, is meant for people. */
async function plainWords(child: Launched): Promise<string> {
  const lines = (await child.said()).trim().split('\n');
  return lines.filter((line) => !line.startsWith('{')).join('\n') || (lines.at(-1) ?? '');
}

function isReady(message: unknown): message is { ready: true; address?: string } {
  return typeof message === 'object' && message !== null && 'ready' in message && message.ready === true;
}
