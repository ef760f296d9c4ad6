import { readFile } from 'node:fs/promises';
import type { DeploymentView } from '../contracts/api.ts';
import type { RealService } from '../test/support/real-service.ts';
import { median, percentile, type Bench } from './figures.ts';
import { withOwnService } from './own-service.ts';

/** How many are started at once, and how many orders are under way at once. */
const atOnce = 8;

/** One worker process with thousands of deployments that wait for a person: its memory, and how soon any of them answers. */
export const waitingBench: Bench = ({ rounds, deployments, say }) =>
  withOwnService(async (service) => {
    await makeTables(service, deployments);
    const ids: string[] = [];
    await inParallel(
      Array.from({ length: deployments }, (_, index) => index),
      async (index) => {
        ids.push(await start(service, index));
        if (ids.length % 250 === 0) say(`${ids.length} started`);
      },
    );
    await service.until('all of them to wait', () => allWait(service, deployments), 1_800_000);
    const memory: number[] = [];
    const p99: number[] = [];
    for (let round = 0; round < rounds; round++) {
      p99.push(percentile(await ordersTo(service, ids), 0.99));
      memory.push(await residentMb(service.workerPid));
      say(`round ${round + 1}: order p99 ${median(p99).toFixed(0)} ms, worker ${memory.at(-1)?.toFixed(0) ?? ''} MB`);
    }
    return {
      name: 'waiting',
      how: `${deployments} deployments that wait for an approval, on one worker process; 200 orders a round to any of them, ${atOnce} at once`,
      figures: [
        { what: 'memory of the worker process', unit: 'MB', rounds: memory, goal: { atMost: 1_024 } },
        { what: 'order → answer, p99', unit: 'ms', rounds: p99, goal: { atMost: 1_000 } },
      ],
    };
  });

/** A service that is busy asks to be asked again as it is; whoever waits for two thousand starts does. */
async function start(service: RealService, index: number): Promise<string> {
  return service.until(
    `the start of ${index}`,
    async () => {
      const { status, body } = await service.post('/v1/deployments', specOf(index), {
        'idempotency-key': `waiting-${index}`,
      });
      return status === 201 || status === 200 ? (body as DeploymentView).status.id : null; // what the API's own schema promises
    },
    600_000,
  );
}

const specOf = (index: number) => ({
  name: `waiting-${index}`,
  strategy: 'expand-contract',
  target: 'shop',
  table: `public.waiting_${index}`,
  changes: [{ add: 'remark text' }],
  cutover: { approve: true },
});

/** In groups: one transaction may not hold the locks of all of them. */
async function makeTables(service: RealService, many: number): Promise<void> {
  for (let from = 0; from < many; from += 500) {
    await service.shop.query(
      `DO $$ BEGIN FOR i IN ${from}..${from + 499} LOOP EXECUTE format('CREATE TABLE waiting_%s (id bigint PRIMARY KEY)', i); END LOOP; END $$`,
    );
  }
}

/** Each has been claimed and expanded: what comes next is the wait. */
async function allWait(service: RealService, many: number): Promise<true | null> {
  const { rows } = await service.shop.query<{ n: string }>(
    `SELECT count(*) AS n FROM lakeshift.claims WHERE 'expand' = ANY (altered)`,
  );
  return Number(rows[0]?.n) === many ? true : null;
}

/** Milliseconds that each of 200 orders to deployments spread over all took. */
async function ordersTo(service: RealService, ids: readonly string[]): Promise<number[]> {
  const times: number[] = [];
  const chosen = Array.from({ length: 200 }, () => ids[Math.floor(Math.random() * ids.length)] ?? '');
  await inParallel([...new Set(chosen)], async (id) => {
    const began = performance.now();
    const answer = await service.post(`/v1/deployments/${id}/pause`, { stage: 'cutover', reason: 'bench' });
    times.push(performance.now() - began);
    if (answer.status !== 200) throw new Error(`refused: ${JSON.stringify(answer.body)}`);
    await service.post(`/v1/deployments/${id}/resume`, { stage: 'cutover', reason: 'bench' });
  });
  return times;
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** Resident memory of a process, MB. Linux only: reads /proc. */
async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024;
}
