import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { PostgresBinaries } from '../tools/postgres/binaries.ts';
import { startPostgres, type RunningPostgres } from '../tools/postgres/server.ts';
import { serverCpuSeconds } from './server-cpu.ts';

/** What some work has cost the server. */
export interface Cost {
  /** CPU seconds of its sessions. */
  readonly cpu: number;
  /** Seconds. */
  readonly wall: number;
  /** Bytes. */
  readonly wal: number;
  /** Growth of the primary key and the index over time, which follow the table's order, as a share. */
  readonly orderedGrowth: number;
  /** The same of the index over a column in random order. */
  readonly randomGrowth: number;
}

/** No autovacuum in between: what is compared is the work itself. */
const settings = { autovacuum: 'off', full_page_writes: 'on' };

/** A server with a table of payments, of which each measurement gets a fresh copy. */
export class PaymentsServer {
  readonly #server: RunningPostgres;

  private constructor(server: RunningPostgres) {
    this.#server = server;
  }

  static async with<T>(
    table: { rows: number; fillfactor: number; binaries: PostgresBinaries | null },
    work: (server: PaymentsServer) => Promise<T>,
  ) {
    return withServer(table.binaries, settings, async (server) => {
      await makePayments(server.url, 'template_payments', table.rows, table.fillfactor);
      return work(new PaymentsServer(server));
    });
  }

  /** Makes a copy, lets `prepare` make ready what is not timed, and measures what it gives back. */
  async measure(prepare: (url: string) => Promise<() => Promise<unknown>>): Promise<Cost> {
    return this.withCopy(async (url) => this.costOf(await prepare(url)));
  }

  async withCopy<T>(work: (url: string) => Promise<T>): Promise<T> {
    const { url } = this.#server;
    await inDatabase(url, 'postgres', (client) =>
      client.query('CREATE DATABASE copy TEMPLATE template_payments STRATEGY FILE_COPY'),
    );
    await inDatabase(url, 'copy', (client) => client.query('SELECT count(*) FROM payments'));
    await inDatabase(url, 'postgres', (client) => client.query('CHECKPOINT'));
    try {
      return await work(databaseUrl(url, 'copy'));
    } finally {
      await inDatabase(url, 'postgres', (client) => client.query('DROP DATABASE copy WITH (FORCE)'));
    }
  }

  /** What work in the copy costs. */
  async costOf(work: () => Promise<unknown>): Promise<Cost> {
    const { url, pid } = this.#server;
    const before = {
      ...(await inDatabase(url, 'copy', sizes)),
      cpu: await serverCpuSeconds(pid),
      at: performance.now(),
    };
    await work();
    const wall = (performance.now() - before.at) / 1_000;
    // a session that has just ended is for a moment neither among the living nor in the postmaster's account
    await sleep(500);
    const cpu = (await serverCpuSeconds(pid)) - before.cpu;
    const after = await inDatabase(url, 'copy', sizes);
    return {
      wall,
      cpu,
      wal: after.wal - before.wal,
      orderedGrowth: after.ordered / before.ordered - 1,
      randomGrowth: after.random / before.random - 1,
    };
  }
}

/** A server of one's own with room in memory; what differs is given. `binaries`: null are those that npm brings. */
export async function withServer<T>(
  binaries: PostgresBinaries | null,
  settings: Readonly<Record<string, string>>,
  work: (server: RunningPostgres) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'lakeshift-bench-'));
  const server = await startPostgres({
    dataDir: join(folder, 'data'),
    ...(binaries === null ? {} : { binaries }),
    settings: { shared_buffers: '2GB', max_wal_size: '20GB', checkpoint_timeout: '1h', ...settings },
  });
  try {
    return await work(server);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs work on a connection to one database of a server. */
export async function inDatabase<T>(
  url: string,
  database: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: databaseUrl(url, database) });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The address of one database of a server. */
export function databaseUrl(url: string, database: string): string {
  const at = new URL(url);
  at.pathname = `/${database}`;
  return at.href;
}

/** A database with a table of payments, of full pages unless said, a primary key and two indexes. */
export async function makePayments(url: string, database: string, rows: number, fillfactor = 100): Promise<void> {
  await inDatabase(url, 'postgres', (client) => client.query(`CREATE DATABASE ${database}`));
  await inDatabase(url, database, async (client) => {
    await client.query(
      `CREATE TABLE payments (id bigint PRIMARY KEY, customer_id bigint NOT NULL, amount numeric(12,2) NOT NULL, currency text NOT NULL, note text, created_at timestamptz NOT NULL DEFAULT now()) WITH (fillfactor = ${fillfactor})`,
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

/** Bytes of write-ahead log so far, and of the indexes. */
async function sizes(client: pg.Client): Promise<{ wal: number; ordered: number; random: number }> {
  const { rows } = await client.query<{ wal: number; ordered: number; random: number }>(
    `SELECT (pg_current_wal_insert_lsn() - '0/0')::float8 AS wal, pg_relation_size('by_customer')::float8 AS random,
       (pg_relation_size('payments_pkey') + pg_relation_size('by_time'))::float8 AS ordered`,
  );
  return rows[0] ?? { wal: Number.NaN, ordered: Number.NaN, random: Number.NaN };
}
