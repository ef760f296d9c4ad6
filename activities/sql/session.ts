import { Socket } from 'node:net';
import pg from 'pg';
import type { Json, Row } from '../../contracts/json.ts';
import { refusePooled } from './own-session.ts';
import { connectFailure, sqlFailure } from './sql-failure.ts';

/** One connection to a target. Every error that it throws is an ApplicationFailure with a code of ours. */
export interface Session {
  /** One statement; a text that holds several is refused by the server. */
  query(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** Several statements in one message: once it is sent, none of them waits for us. */
  script(sql: string): Promise<void>;
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
/** How long a farewell may take, ms: a server that has vanished never answers it. */
const farewellMs = 2_000;
/** How long a transaction of ours may hold its locks while the server hears nothing of us. */
const idleInTransaction = `SET LOCAL idle_in_transaction_session_timeout = '3s'`;

/**
 * Opens a session whose name in `pg_stat_activity` says which deployment it works for. `timeoutMs`: when to give up on
 * an answer; null: never.
 */
export async function openSession(
  target: TargetConnection,
  applicationName: string,
  timeoutMs = queryTimeoutMs,
): Promise<Session> {
  const socket = new Socket();
  const options: pg.ClientConfig = {
    connectionString: target.url,
    application_name: applicationName,
    connectionTimeoutMillis: 5_000,
    // a server that has vanished without a word answers no statement timeout either
    ...(timeoutMs === null ? {} : { query_timeout: timeoutMs }),
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: { getTypeParser: parserOf },
  };
  const client = new pg.Client({ ...options, stream: () => socket });
  // A connection that breaks while nobody waits for it must not end the process; the next query tells.
  client.on('error', () => undefined);
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw sqlFailure(error, target.name);
    }
  };
  const close = async (): Promise<void> => {
    const giveUp = setTimeout(() => socket.destroy(), farewellMs);
    await client.end().catch(() => undefined);
    clearTimeout(giveUp);
  };
  try {
    await client.connect();
    await refusePooled(client, options, target.name);
  } catch (error) {
    await close();
    throw connectFailure(error, target.name);
  }
  return {
    query: (text, values = []) => guarded(async () => (await client.query<Row>(alone(text, values))).rows),
    script: (sql) => guarded(async () => void (await client.query(sql))),
    prepared: (name, text, values) =>
      guarded(async () => (await client.query<Row>({ name, text, values: [...values] })).rows),
    close,
  };
}

/** The protocol in which one message is one statement; the driver has it, its types do not. */
function alone(text: string, values: readonly unknown[]): pg.QueryConfig {
  const config = { text, values: [...values], queryMode: 'extended' };
  return config;
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

/**
 * Begins, works, commits; rolls back when the work throws. Should we vanish without a word, the server ends the
 * transaction and its locks within seconds.
 */
export async function inTransaction<T>(session: Session, work: () => Promise<T>): Promise<T> {
  await session.script(`BEGIN; ${idleInTransaction}`);
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
