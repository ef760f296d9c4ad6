import { join } from 'node:path';
import { Client } from 'pg';
import type { Home } from '../home.ts';
import { ensureDatabase, startPostgres } from '../postgres/server.ts';
import { ToolFailure } from '../tool-failure.ts';
import type { Crew } from './crew.ts';

/** URLs with their passwords: not for logs. */
export interface Databases {
  readonly ledgerUrl: string;
  /** The sample target. */
  readonly shopUrl: string;
}

/** A server for one's own machine: a backfill of a million rows should not wait for checkpoints. */
const settings = { shared_buffers: '256MB', max_wal_size: '4GB', checkpoint_timeout: '15min' };

/** Starts our own PostgreSQL, with a database for the ledger and one for the sample. */
export async function startOwnDatabases(home: Home, crew: Crew, recordIn: string, port: number): Promise<Databases> {
  const dataDir = join(home.data, 'postgres');
  const logFile = join(home.log, 'postgresql.log');
  const { url } = await crew.add({
    name: 'PostgreSQL',
    start: () => startPostgres({ dataDir, port, settings, logFile, ownGroup: true, recordIn }),
  });
  return { ledgerUrl: await ensureDatabase(url, 'lakeshift'), shopUrl: await ensureDatabase(url, 'shop') };
}

/** Uses a server that is not ours: its database for the ledger, and one beside it for the sample. */
export async function useDatabase(databaseUrl: string, needsSample: boolean): Promise<Databases> {
  const client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: 10_000 });
  try {
    await client.connect();
  } catch (error) {
    throw new ToolFailure(`the database of LAKESHIFT_DATABASE_URL can't be reached (${codeOf(error)})`);
  } finally {
    await client.end().catch(() => undefined);
  }
  if (!needsSample) return { ledgerUrl: databaseUrl, shopUrl: databaseUrl };
  try {
    return { ledgerUrl: databaseUrl, shopUrl: await ensureDatabase(databaseUrl, 'shop') };
  } catch (error) {
    throw new ToolFailure(
      `the sample database "shop" can't be created on the server of LAKESHIFT_DATABASE_URL (${codeOf(error)})`,
    );
  }
}

/** A driver's message may quote what was sent; its code never does. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'no answer';
}
