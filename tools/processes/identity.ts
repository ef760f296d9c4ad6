import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** A process that can't be mistaken for another one which got the same pid later. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When the kernel started it, in the system's own words: only good for comparing. */
  readonly startedAt: string;
}

const run = promisify(execFile);

/** Who has this pid now; null: nobody, or only a zombie. */
export async function identify(pid: number): Promise<ProcessIdentity | null> {
  const startedAt = existsSync('/proc/self/stat') ? await fromProc(pid) : await fromPs(pid);
  return startedAt === null ? null : { pid, startedAt };
}

/** Whether that very process still runs. */
export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  return (await identify(identity.pid))?.startedAt === identity.startedAt;
}

/** What it was started with; null: there is no such process, or only a zombie. */
export async function commandLine(pid: number): Promise<string | null> {
  if ((await identify(pid)) === null) return null;
  const fromSystem = existsSync('/proc/self/cmdline')
    ? readFile(`/proc/${pid}/cmdline`, 'utf8').then((text) => text.replaceAll('\0', ' '))
    : run('ps', ['-o', 'args=', '-p', String(pid)]).then(({ stdout }) => stdout);
  return fromSystem.catch(() => null);
}

async function fromProc(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command's name in parentheses and may hold spaces itself: count from behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    return fields[0] === 'Z' ? null : `${boot.trim()}:${fields[19] ?? ''}`;
  } catch {
    return null;
  }
}

async function fromPs(pid: number): Promise<string | null> {
  try {
    const { stdout } = await run('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]);
    const [state = '', ...started] = stdout.trim().split(/\s+/);
    return state === '' || state.startsWith('Z') ? null : started.join(' ');
  } catch {
    return null;
  }
}
