import { setTimeout as sleep } from 'node:timers/promises';
import type { Launched } from '../processes/launch.ts';

const patienceMs = 10_000;

/** Ends a process that leads a group of its own, with all that it has started; waits until the group is gone. */
export async function stopGroup({ pid }: Launched): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const until = Date.now() + patienceMs;
    if (!tell(pid, signal)) return;
    while (Date.now() < until) {
      if (!tell(pid, 0)) return;
      await sleep(25);
    }
  }
}

/** False: nobody of the group is there any more. */
function tell(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}
