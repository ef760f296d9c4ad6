import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { startPostgres, type RunningPostgres } from '../tools/postgres/server.ts';
import type { Bench, Figure } from './figures.ts';
import { prepareLakeshift } from './lakeshift-backfill.ts';
import { getPgroll, preparePgroll } from './peers/pgroll.ts';
import { serverCpuSeconds } from './server-cpu.ts';

interface Cost {
  readonly cpu: number;
  readonly wall: number;
  readonly wal: number;
  /** Of the primary key and the index over time: they follow the table's order. */
  readonly orderedGrowth: number;
  /** Of the index over a column in random order. */
  readonly randomGrowth: number;
}
type Variant = 'plain' | 'lakeshift' | 'pgroll';
/** Makes ready what is not timed, and gives back what is. */
type Prepare = (url: string) => Promise<() => Promise<void>>;

/** Rewrites one column of full pages in three ways, in turn, each on a fresh copy of the same database. */
export const backfillBench: Bench = async ({ rows, rounds, say }) => {
  const folder = await mkdtemp(join(tmpdir(), 'lakeshift-bench-'));
  const server = await startPostgres({ dataDir: join(folder, 'data'), settings });
  try {
    say(`making a table of ${rows} rows`);
    await makeTemplate(server.url, rows);
    const pgroll = await getPgroll(say);
    const variants: [Variant, Prepare][] = [
      ['plain', plainUpdate],
      ['lakeshift', prepareLakeshift],
      ...(pgroll === null
        ? []
        : ([['pgroll', (url: string) => preparePgroll(pgroll, url)]] satisfies [Variant, Prepare][])),
    ];
    const costs: Record<Variant, Cost[]> = { plain: [], lakeshift: [], pgroll: [] };
    for (let round = 1; round <= rounds; round++) {
      for (const [name, prepare] of variants) {
        const cost = await measure(server, prepare);
        costs[name].push(cost);
        say(
          `round ${round}: ${name} ${cost.cpu.toFixed(1)} s CPU, ${cost.wall.toFixed(1)} s wall, ${Math.round(cost.wal / 1e6)} MB WAL, indexes +${(cost.orderedGrowth * 100).toFixed(1)} %`,
        );
      }
    }
    return {
      name: 'backfill',
      how: `${rows} rows, full pages, primary key and two indexes; backend CPU; ratios of each round`,
      figures: figuresOf(costs, rows),
    };
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
};

/** No autovacuum and no checkpoint in between: what is compared is the work itself. */
const settings = {
  shared_buffers: '2GB',
  max_wal_size: '20GB',
  checkpoint_timeout: '1h',
  autovacuum: 'off',
  full_page_writes: 'on',
};

function figuresOf({ plain, lakeshift, pgroll }: Readonly<Record<Variant, readonly Cost[]>>, rows: number): Figure[] {
  const ratio = (over: readonly Cost[], under: readonly Cost[], of: (cost: Cost) => number): number[] =>
    over.map((cost, round) => of(cost) / of(under[round] ?? cost));
  const faster = (what: string, peer: readonly Cost[], goal: number): Figure[] => [
    {
      what: `CPU of ${what} ÷ ours`,
      unit: '×',
      rounds: ratio(peer, lakeshift, ({ cpu }) => cpu),
      goal: { atLeast: goal },
    },
    { what: `wall time of ${what} ÷ ours`, unit: '×', rounds: ratio(peer, lakeshift, ({ wall }) => wall), goal: null },
  ];
  return [
    ...faster('one plain UPDATE', plain, 1.3),
    {
      what: 'WAL of ours ÷ one plain UPDATE',
      unit: '×',
      rounds: ratio(lakeshift, plain, ({ wal }) => wal),
      goal: { atMost: 0.75 },
    },
    growth("our indexes in the table's order grow by", lakeshift, ({ orderedGrowth }) => orderedGrowth, 2),
    growth('our index in random order grows by', lakeshift, ({ randomGrowth }) => randomGrowth, null),
    growth('all three under one plain UPDATE grow by', plain, ({ orderedGrowth }) => orderedGrowth, null),
    ...(pgroll.length === 0 ? [] : faster('pgroll 0.14', pgroll, 2.8)),
    { what: 'our rows per second', unit: '/s', rounds: lakeshift.map(({ wall }) => rows / wall), goal: null },
  ].filter(({ rounds }) => rounds.length > 0);
}

const growth = (what: string, costs: readonly Cost[], of: (cost: Cost) => number, atMost: number | null): Figure => ({
  what,
  unit: '%',
  rounds: costs.map((cost) => of(cost) * 100),
  goal: atMost === null ? null : { atMost },
});

async function makeTemplate(url: string, rows: number): Promise<void> {
  await inDatabase(url, 'postgres', (client) => client.query('CREATE DATABASE template_payments'));
  await inDatabase(url, 'template_payments', async (client) => {
    await client.query(
      `CREATE TABLE payments (id bigint PRIMARY KEY, customer_id bigint NOT NULL, amount numeric(12,2) NOT NULL, currency text NOT NULL, note text, created_at timestamptz NOT NULL DEFAULT now())`,
    );
    await client.query(
      `INSERT INTO payments SELECT g, hashint8(g) & 65535, (hashint8(g) & 1048575) / 100.0, 'EUR', 'payment number ' || g || ' of the year', timestamptz '2026-01-01' + g * interval '1 second' FROM generate_series(1, $1::int) g`,
      [rows],
    );
    await client.query('CREATE INDEX by_customer ON payments (customer_id)');
    await client.query('CREATE INDEX by_time ON payments (created_at)');
    await client.query('VACUUM (FREEZE, ANALYZE) payments');
  });
}

async function measure(server: RunningPostgres, prepare: Prepare): Promise<Cost> {
  await inDatabase(server.url, 'postgres', (client) =>
    client.query('CREATE DATABASE copy TEMPLATE template_payments STRATEGY FILE_COPY'),
  );
  const at = new URL(server.url);
  at.pathname = '/copy';
  const run = await prepare(at.href);
  const look = () => inDatabase(server.url, 'copy', sizes);
  await inDatabase(server.url, 'copy', (client) => client.query('SELECT count(*) FROM payments'));
  await inDatabase(server.url, 'postgres', (client) => client.query('CHECKPOINT'));
  const before = { ...(await look()), cpu: await serverCpuSeconds(server.pid), at: performance.now() };
  await run();
  const wall = (performance.now() - before.at) / 1_000;
  // a session that has just ended is for a moment neither among the living nor in the postmaster's account
  await sleep(500);
  const cpu = (await serverCpuSeconds(server.pid)) - before.cpu;
  const after = await look();
  await inDatabase(server.url, 'postgres', (client) => client.query('DROP DATABASE copy WITH (FORCE)'));
  return {
    wall,
    cpu,
    wal: after.wal - before.wal,
    orderedGrowth: after.ordered / before.ordered - 1,
    randomGrowth: after.random / before.random - 1,
  };
}

/** Bytes of write-ahead log so far, and of the indexes. */
async function sizes(client: pg.Client): Promise<{ wal: number; ordered: number; random: number }> {
  const { rows } = await client.query<{ wal: number; ordered: number; random: number }>(
    `SELECT (pg_current_wal_insert_lsn() - '0/0')::float8 AS wal, pg_relation_size('by_customer')::float8 AS random,
       (pg_relation_size('payments_pkey') + pg_relation_size('by_time'))::float8 AS ordered`,
  );
  return rows[0] ?? { wal: Number.NaN, ordered: Number.NaN, random: Number.NaN };
}

const plainUpdate: Prepare = async (url) => {
  await Promise.resolve();
  return async () => {
    await inDatabase(url, 'copy', async (client) => {
      await client.query('ALTER TABLE payments ADD COLUMN amount_cents bigint');
      await client.query('UPDATE payments SET amount_cents = (round(amount * 100))::bigint');
    });
  };
};

async function inDatabase<T>(url: string, database: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const at = new URL(url);
  at.pathname = `/${database}`;
  const client = new pg.Client({ connectionString: at.href });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
