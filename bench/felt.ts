import { setTimeout as sleep } from 'node:timers/promises';
import { startApplication, type Application } from './application.ts';
import type { Transaction } from './application-thread.ts';
import { percentile, type Bench, type Figure } from './figures.ts';
import { BenchDeployment } from './deployment.ts';
import { databaseUrl, inDatabase, makePayments, withServer } from './payments.ts';

/** How long the control may look for its share before anything counts, and how long each window lasts, ms. */
const warmUpMs = 90_000;
const windowMs = 15_000;
/** What is under way when a window begins belongs to the one before, ms. */
const settleMs = 500;
const pairs = 6;
/** The idle table need not last as long. */
const idleRows = 1_000_000;

interface Window {
  readonly felt: readonly Transaction[];
  readonly rowsPerSecond: number;
}

/** An application beside the throttled backfill, and without it, in turn. */
export const feltBench: Bench = ({ rows, binaries, say }) =>
  withServer(binaries, { min_wal_size: '8GB' }, async (server) => {
    say(`making a table of ${rows} rows and one of ${idleRows}`);
    await makePayments(server.url, 'idle', idleRows);
    await makePayments(server.url, 'felt', rows);
    await fillLog(server.url);
    const idle = await plainUpdate(server.url);
    say(`one plain UPDATE with nobody there: ${Math.round(idle)} rows/s`);
    const url = databaseUrl(server.url, 'felt');
    const lakeshift = await BenchDeployment.claim(url);
    const application = await startApplication({ url, rows, perSecond: 500, connections: 4 });
    try {
      await sleep(2_000);
      await lakeshift.expand();
      say('the control looks for its share');
      const telling = setInterval(() => say(lakeshift.live?.pace ?? ''), 10_000);
      await lakeshift.slice(warmUpMs).finally(() => clearInterval(telling));
      const [beside, alone]: [Window[], Window[]] = [[], []];
      await sleep(5_000);
      const before = await deadlocks(url);
      for (let pair = 1; pair <= pairs; pair++) {
        beside.push(await watch(application, lakeshift, true));
        alone.push(await watch(application, lakeshift, false));
        say(`pair ${pair}: ${words(beside)} beside, ${words(alone)} alone; ${lakeshift.live?.pace ?? ''}`);
      }
      return {
        name: 'felt',
        how: `${rows} rows; 500 transactions/s of 3 statements on the same table, 4 connections, open loop; ${pairs} pairs of windows of ${windowMs / 1_000} s, pooled`,
        figures: figuresOf(beside, alone, idle, (await deadlocks(url)) - before),
      };
    } finally {
      await application.stop();
    }
  });

async function watch(application: Application, lakeshift: BenchDeployment, withUs: boolean): Promise<Window> {
  const from = Date.now();
  const before = lakeshift.live?.rows ?? 0;
  const facts = withUs ? await lakeshift.slice(windowMs) : await sleep(windowMs, null);
  const to = Date.now();
  if (facts?.finished === true) throw new Error('the backfill is over before the windows are: take more --rows');
  await sleep(1_500);
  return {
    felt: application.between(from + settleMs, to - settleMs),
    rowsPerSecond: facts === null ? 0 : ((facts.rows - before) * 1_000) / (to - from),
  };
}

const times = (windows: readonly Window[]): number[] => windows.flatMap(({ felt }) => felt.map(([, ms]) => ms));
const p99 = (windows: readonly Window[]): number => percentile(times(windows), 0.99);
const words = (windows: readonly Window[]): string => `p99 ${p99(windows.slice(-1)).toFixed(2)} ms`;

function figuresOf(beside: readonly Window[], alone: readonly Window[], idle: number, locked: number): Figure[] {
  const pooled = (what: string, share: number, goal: Figure['goal']): Figure => ({
    what: `${what} beside us ÷ without us, pooled`,
    unit: '×',
    rounds: [percentile(times(beside), share) / percentile(times(alone), share)],
    goal,
  });
  return [
    pooled("application's p99", 0.99, { atMost: 1.5 }),
    pooled("application's p95", 0.95, null),
    pooled("application's p50", 0.5, null),
    {
      what: "application's p99 beside us ÷ without us, by pair",
      unit: '×',
      rounds: beside.map((window, pair) => p99([window]) / p99(alone.slice(pair, pair + 1))),
      goal: null,
    },
    {
      what: 'rows/s ÷ those of one idle plain UPDATE, all windows',
      unit: '×',
      rounds: [beside.reduce((sum, { rowsPerSecond }) => sum + rowsPerSecond, 0) / beside.length / idle],
      goal: { atLeast: 0.5 },
    },
    {
      what: 'rows/s ÷ those of one idle plain UPDATE, by window',
      unit: '×',
      rounds: beside.map(({ rowsPerSecond }) => rowsPerSecond / idle),
      goal: null,
    },
    {
      what: 'errors of the application',
      unit: '',
      rounds: [beside.flatMap(({ felt }) => felt.filter(([, , failed]) => failed)).length],
      goal: { atMost: 0 },
    },
    { what: 'deadlocks', unit: '', rounds: [locked], goal: { atMost: 0 } },
  ];
}

/** A server that has been in service for long writes into files of its log that are there already, and need not be made. */
const fillLog = (url: string): Promise<unknown> =>
  inDatabase(url, 'postgres', async (client) => {
    await client.query(
      `SELECT count(pg_logical_emit_message(false, 'bench', repeat('x', 1000000))) FROM generate_series(1, 6000)`,
    );
    await client.query('CHECKPOINT');
  });

/** Rows per second of one plain UPDATE while nobody else is there. */
async function plainUpdate(url: string): Promise<number> {
  return inDatabase(url, 'idle', async (client) => {
    await client.query('ALTER TABLE payments ADD COLUMN amount_cents bigint');
    await client.query('SELECT count(*) FROM payments');
    await client.query('CHECKPOINT');
    const began = performance.now();
    await client.query('UPDATE payments SET amount_cents = (round(amount * 100))::bigint');
    return (idleRows * 1_000) / (performance.now() - began);
  });
}

const deadlocks = (url: string): Promise<number> =>
  inDatabase(url, 'felt', async (client) => {
    const { rows } = await client.query<{ n: number }>(
      'SELECT deadlocks::int AS n FROM pg_stat_database WHERE datname = current_database()',
    );
    return rows[0]?.n ?? Number.NaN;
  });
