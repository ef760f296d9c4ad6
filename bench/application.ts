import { Worker } from 'node:worker_threads';
import type { ApplicationInput, Transaction } from './application-thread.ts';

/** An application at work, in a thread of its own. */
export interface Application {
  /** Transactions that were due in a span of time, epoch ms; ask a second after its end. */
  between(from: number, to: number): readonly Transaction[];
  stop(): Promise<void>;
}

/** Starts it, and waits until it is connected. */
export async function startApplication(input: ApplicationInput): Promise<Application> {
  const thread = new Worker(new URL('./application-thread.ts', import.meta.url), { workerData: input });
  const all: Transaction[] = [];
  const ended = new Promise<void>((resolve, reject) => {
    thread.once('exit', () => resolve());
    thread.once('error', reject);
  });
  await new Promise<void>((resolve, reject) => {
    thread.once('error', reject);
    thread.on('message', (message: 'ready' | Transaction[]) => {
      if (message === 'ready') resolve();
      else all.push(...message);
    });
  });
  return {
    between: (from, to) => all.filter(([due]) => due >= from && due < to),
    async stop() {
      thread.postMessage('stop');
      await ended;
    },
  };
}
