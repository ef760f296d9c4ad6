import { setTimeout as sleep } from 'node:timers/promises';
import { runQuery } from './client.ts';

/** Clients that run short statements one after the other. */
export interface QueryLoad {
  /** The coordinators of the statements that were begun after that moment (epoch ms) and have ended. */
  readonly since: (moment: number) => readonly string[];
  readonly failures: () => readonly string[];
  /** Lets those under way end. */
  readonly stop: () => Promise<void>;
}

/** At most a few statements a second: it is to be seen where they go, not how many are possible. */
const pauseMs = 100;

/** Starts so many clients at that address. */
export function startLoad(address: string, clients: number): QueryLoad {
  const ended: { readonly at: number; readonly coordinator: string }[] = [];
  const failures: string[] = [];
  let stopped = false;
  const client = async (): Promise<void> => {
    while (!stopped) {
      const at = Date.now();
      try {
        const { coordinator, values } = await runQuery(address, 'SELECT 1');
        if (values.join() !== '1') throw new Error(`1 is ${values.join()}`);
        ended.push({ at, coordinator });
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
      await sleep(pauseMs);
    }
  };
  const running = Array.from({ length: clients }, client);
  return {
    since: (moment) => ended.filter(({ at }) => at > moment).map(({ coordinator }) => coordinator),
    failures: () => failures,
    stop: async () => {
      stopped = true;
      await Promise.all(running);
    },
  };
}
