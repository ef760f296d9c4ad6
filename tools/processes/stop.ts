import { setTimeout as sleep } from 'node:timers/promises';
import { identify, isRunning, type ProcessIdentity } from './identity.ts';

/** One signal after the other, each with the time that it gets, ms. */
export type Escalation = readonly { readonly signal: NodeJS.Signals; readonly waitMs: number }[];

/** For most programs: ask, then end. */
export const politely: Escalation = [
  { signal: 'SIGTERM', waitMs: 20_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
];

/** PostgreSQL's own words: fast shutdown, immediate shutdown, then the last resort. */
export const likePostgres: Escalation = [
  { signal: 'SIGINT', waitMs: 20_000 },
  { signal: 'SIGQUIT', waitMs: 5_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
];

/** Ends that very process and waits until it is gone; false: it outlived the last signal. */
export async function stopProcess(process: ProcessIdentity, escalation: Escalation = politely): Promise<boolean> {
  for (const { signal, waitMs } of escalation) {
    if (!(await isRunning(process))) return true;
    send(process.pid, signal);
    if (await isGone(process, waitMs)) return true;
  }
  return !(await isRunning(process));
}

/** Ends the process that has this pid at this moment. */
export async function stopPid(pid: number, escalation: Escalation = politely): Promise<boolean> {
  const found = await identify(pid);
  return found === null || stopProcess(found, escalation);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    globalThis.process.kill(pid, signal);
  } catch {
    // It ended between the look and the signal: that is what we wanted.
  }
}

async function isGone(process: ProcessIdentity, withinMs: number): Promise<boolean> {
  const until = Date.now() + withinMs;
  while (Date.now() < until) {
    if (!(await isRunning(process))) return true;
    await sleep(25);
  }
  return false;
}
