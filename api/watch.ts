import type { LedgerReader, Pulse } from '../ledger/index.ts';

/** Tells whoever waits that something about a deployment may have changed. */
export interface Watch {
  /** Ends when the deployment's pulse differs from `known`, after `ms`, or when the signal fires. */
  changed(id: string, known: Omit<Pulse, 'id'>, ms: number, signal: AbortSignal): Promise<void>;
}

interface Waiter {
  readonly id: string;
  readonly known: Omit<Pulse, 'id'>;
  readonly done: () => void;
}

/**
 * Looks at the ledger with one query for all who wait, however many they are. Looking works through any pooler, where
 * LISTEN does not. A ledger that doesn't answer is looked at again; those who wait have a time limit of their own.
 */
export function createWatch(reader: Pick<LedgerReader, 'pulses'>, everyMs = 250): Watch {
  const waiters = new Set<Waiter>();
  let timer: NodeJS.Timeout | undefined;

  const look = async (): Promise<void> => {
    if (waiters.size === 0) return;
    const pulses = await reader.pulses([...new Set([...waiters].map(({ id }) => id))]);
    const byId = new Map(pulses.map((pulse) => [pulse.id, pulse]));
    for (const { id, known, done } of waiters) {
      const pulse = byId.get(id);
      if (pulse !== undefined && (pulse.seq !== known.seq || pulse.liveAt !== known.liveAt)) done();
    }
  };
  const lookAgain = (): void => {
    timer = setTimeout(() => {
      void look()
        .catch(() => undefined)
        .finally(() => {
          timer = undefined;
          if (waiters.size > 0) lookAgain();
        });
    }, everyMs);
  };

  return {
    changed: (id, known, ms, signal) =>
      new Promise((resolve) => {
        const limit = setTimeout(() => waiter.done(), ms);
        const waiter: Waiter = {
          id,
          known,
          done() {
            clearTimeout(limit);
            signal.removeEventListener('abort', waiter.done);
            waiters.delete(waiter);
            resolve();
          },
        };
        signal.addEventListener('abort', waiter.done);
        waiters.add(waiter);
        if (signal.aborted) waiter.done();
        else if (timer === undefined) lookAgain();
      }),
  };
}
