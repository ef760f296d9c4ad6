import pg from 'pg';
import type { Json, Row } from '../../contracts/json.ts';
import { refusePooled } from './own-session.ts';
import { connectFailure, sqlFailure } from './sql-failure.ts';

/** One connection to a target. Every error that it throws is an ApplicationFailure with a code of ours. */
export interface Session {
  query(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** A statement that is planned once and run often. */
  prepared(name: string, sql: string, values: readonly unknown[]): Promise<readonly Row[]>;
  close(): Promise<void>;
}

/** A target as the worker knows it. */
export interface TargetConnection {
  readonly name: string;
  /** Secrets are in it: never shown. */
  readonly url: string;
}

/** Longer than any statement timeout that we set, ms. */
const queryTimeoutMs: number | null = 90_000;

/**
 * Opens a session whose name in `pg_stat_activity` says which deployment it works for. `timeoutMs`: when to give up on
 * an answer; null: never.
 */
export async function openSession(
  target: TargetConnection,
  applicationName: string,
  timeoutMs = queryTimeoutMs,
): Promise<Session> {
  const options: pg.ClientConfig = {
    connectionString: target.url,
    application_name: applicationName,
    connectionTimeoutMillis: 5_000,
    // a server that has vanished without a word answers no statement timeout either
    ...(timeoutMs === null ? {} : { query_timeout: timeoutMs }),
    keepAlive: true,
    types: { getTypeParser: parserOf },
  };
  const client = new pg.Client(options);
  // A connection that breaks while nobody waits for it must not end the process; the next query tells.
  client.on('error', () => undefined);
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw sqlFailure(error, target.name);
    }
  };
  try {
    await client.connect();
    await refusePooled(client, options, target.name);
  } catch (error) {
    await client.end().catch(() => undefined);
    throw connectFailure(error, target.name);
  }
  return {
    query: (sql, values) =>
      guarded(async () => (await client.query<Row>(sql, values === undefined ? [] : [...values])).rows),
    prepared: (name, text, values) =>
      guarded(async () => (await client.query<Row>({ name, text, values: [...values] })).rows),
    close: () => client.end().catch(() => undefined),
  };
}

/** Runs work in a session of its own. */
export async function withSession<T>(
  target: TargetConnection,
  applicationName: string,
  work: (session: Session) => Promise<T>,
  timeoutMs = queryTimeoutMs,
): Promise<T> {
  const session = await openSession(target, applicationName, timeoutMs);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** Begins, works, commits; rolls back when the work throws. */
export async function inTransaction<T>(session: Session, work: () => Promise<T>): Promise<T> {
  await session.query('BEGIN');
  try {
    const result = await work();
    await session.query('COMMIT');
    return result;
  } catch (error) {
    await session.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

type Parse = (text: string) => Json;
const asText: Parse = (text) => text;

/** Big integers, numerics and dates stay text: JSON numbers would lose digits. */
const parsers: ReadonlyMap<number, Parse> = new Map<number, Parse>([
  [16, (text) => text === 't'], // bool
  ...[21, 23, 700, 701].map((oid): [number, Parse] => [oid, Number]), // int2, int4, float4, float8
  // what PostgreSQL prints as json and jsonb parses as Json
  ...[114, 3802].map((oid): [number, Parse] => [oid, (text) => JSON.parse(text) as Json]),
]);

const parserOf = (oid: number): Parse => parsers.get(oid) ?? asText;

/** A column of a row as text; empty when it is not there or not a text or number. */
export const textOf = (value: Json | undefined): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';
