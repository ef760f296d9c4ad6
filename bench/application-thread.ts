import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import pg from 'pg';

/** What the thread of the application is given. */
export interface ApplicationInput {
  readonly url: string;
  readonly perSecond: number;
  readonly connections: number;
  readonly rows: number;
}

/** One transaction: when it was due, epoch ms; how long after that it was done, ms; whether it failed. */
export type Transaction = readonly [due: number, ms: number, failed: boolean];

/**
 * An application with open-loop arrivals: a transaction is due whether or not the ones before are done, and its time
 * runs from then on, so that a stall of the table is felt by all that queue behind it.
 */
async function serve({ url, perSecond, connections, rows }: ApplicationInput, port: NonNullable<typeof parentPort>) {
  const idle: pg.Client[] = [];
  for (let index = 0; index < connections; index++) {
    const client = new pg.Client({ connectionString: url, application_name: 'shop' });
    await client.connect();
    idle.push(client);
  }
  const queue: number[] = [];
  let done: Transaction[] = [];
  const stop = new AbortController();
  port.on('message', () => stop.abort());
  port.postMessage('ready');

  const work = async (client: pg.Client): Promise<void> => {
    for (let due = queue.shift(); due !== undefined; due = queue.shift()) {
      const failed = await client.query(transaction(rows)).then(
        () => false,
        () => true,
      );
      done.push([due, clock() - due, failed]);
    }
    idle.push(client);
  };
  const began = clock();
  let [made, toldAt] = [0, began];
  while (!stop.signal.aborted) {
    const now = clock();
    for (; began + (made * 1_000) / perSecond <= now; made++) queue.push(began + (made * 1_000) / perSecond);
    while (queue.length > 0) {
      const client = idle.shift();
      if (client === undefined) break;
      void work(client);
    }
    if (now - toldAt > 500) {
      port.postMessage(done);
      [done, toldAt] = [[], now];
    }
    await sleep(1);
  }
  while (idle.length < connections) await sleep(5);
  port.postMessage(done);
  await Promise.all(idle.map((client) => client.end()));
  port.close();
}

const clock = (): number => performance.timeOrigin + performance.now();

/** Three statements on one table, in one transaction and one round trip. */
function transaction(rows: number): string {
  const id = (): number => 1 + Math.floor(Math.random() * rows);
  const [read, write] = [id(), id()];
  return `SELECT amount, currency FROM payments WHERE id = ${read}; UPDATE payments SET amount = amount + 0.01 WHERE id = ${write}; SELECT amount FROM payments WHERE id = ${write}`;
}

// what `startApplication` hands over
if (parentPort !== null) await serve(workerData as ApplicationInput, parentPort);
