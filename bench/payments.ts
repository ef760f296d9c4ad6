import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startPostgres, type RunningPostgres } from '../tools/postgres/server.ts';

/** A server of one's own with room in memory; what differs is given. */
export async function withServer<T>(
  settings: Readonly<Record<string, string>>,
  work: (server: RunningPostgres) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'lakeshift-bench-'));
  const server = await startPostgres({
    dataDir: join(folder, 'data'),
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

/** A database with a table of full pages, a primary key and two indexes. */
export async function makePayments(url: string, database: string, rows: number): Promise<void> {
  await inDatabase(url, 'postgres', (client) => client.query(`CREATE DATABASE ${database}`));
  await inDatabase(url, database, async (client) => {
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
