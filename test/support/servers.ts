import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

/** `host:port` of the Temporal server of this test run; namespace `default`. */
export function temporalAddress(): string {
  return required('LAKESHIFT_TEST_TEMPORAL');
}

/** Superuser's URL of a database of this run's PostgreSQL. */
export function postgresUrl(database = 'postgres'): string {
  const url = new URL(required('LAKESHIFT_TEST_POSTGRES'));
  url.pathname = `/${database}`;
  return url.href;
}

/** An empty database of one's own, on this run's server or another; `drop` also ends the sessions that are still in it. */
export async function freshDatabase(
  server = postgresUrl(),
): Promise<{ url: string; readonly drop: () => Promise<void> }> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await onServer(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(server, `drop database if exists ${name} with (force)`) };
}

/** The workflows, bundled once for the run: hand it to each Worker as `workflowBundle`. */
export function workflowBundle(): { codePath: string } {
  const failure = process.env['LAKESHIFT_TEST_BUNDLE_FAILURE'];
  if (failure !== undefined) throw new Error(`the workflows can't be bundled: ${failure}`);
  return { codePath: required('LAKESHIFT_TEST_BUNDLE') };
}

async function onServer(server: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

function required(variable: string): string {
  const value = process.env[variable];
  if (value === undefined) throw new Error(`${variable} is not set: test/support/global-setup.ts sets it`);
  return value;
}
