import { setTimeout as sleep } from 'node:timers/promises';
import type { Part, Running } from './part.ts';

/** A part that is kept running until it is stopped. */
export interface Supervised<R extends Running = Running> {
  readonly name: string;
  /** What the first start gave. */
  readonly first: R;
  readonly stop: () => Promise<void>;
}

/** How long to wait before the first restart and at the most, and after which uptime a part counts as healthy; ms. */
export interface Patience {
  readonly firstMs: number;
  readonly mostMs: number;
  readonly healthyMs: number;
}

const usual: Patience = { firstMs: 500, mostMs: 30_000, healthyMs: 60_000 };

/** Starts a part and starts it again whenever it ends, waiting twice as long each time. Rejects when it never started. */
export async function supervise<R extends Running>(
  part: Part<R>,
  say: (line: string) => void,
  patience: Patience = usual,
): Promise<Supervised<R>> {
  const stopping = new AbortController();
  const isStopping = (): boolean => stopping.signal.aborted;
  const first = await part.start();
  let running: Running | null = first;
  const kept = keepRunning();

  async function keepRunning(): Promise<void> {
    let waitMs = patience.firstMs;
    for (;;) {
      const since = Date.now();
      await running?.ended;
      if (isStopping()) return;
      if (running !== null && Date.now() - since >= patience.healthyMs) waitMs = patience.firstMs;
      say(`the ${part.name} ${running === null ? 'is tried' : 'has ended and is started'} again in ${waitMs / 1000} s`);
      await sleep(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (isStopping()) return;
      waitMs = Math.min(waitMs * 2, patience.mostMs);
      running = await startAgain();
    }
  }

  async function startAgain(): Promise<Running | null> {
    try {
      const started = await part.start();
      say(`the ${part.name} runs again`);
      return started;
    } catch (error) {
      say(error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  const stop = async (): Promise<void> => {
    stopping.abort();
    const before = running;
    await before?.stop();
    await kept;
    // A restart that was under way while we stopped has brought a new one.
    if (running !== before) await running?.stop();
  };
  return { name: part.name, first, stop };
}
