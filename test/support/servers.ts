import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { otherMajors, type OtherMajor } from '../../tools/postgres/binaries.ts';
import { ask } from './on-demand.ts';

/** Versions of PostgreSQL that the matrix suites run on; all others run on the last one. */
export const majors = [...otherMajors, 18] as const;
export type Major = (typeof majors)[number];

/** `host:port` of the Temporal server of this test run; namespace `default`. */
export function temporalAddress(): string {
  return required('LAKESHIFT_TEST_TEMPORAL');
}

/** Superuser's URL of a database of this run's PostgreSQL. */
export function postgresUrl(database = 'postgres'): string {
  return urlOf(required('LAKESHIFT_TEST_POSTGRES'), database);
}

/** A database of one test, and who may do what in it. Each is a URL with its password. */
export interface TestDatabase {
  /** The role that Lakeshift works as: no superuser, and what docs/guests-in-your-database.md states. */
  readonly url: string;
  /** Who prepares tables: the superuser in the role of their owner. */
  readonly ownerUrl: string;
  readonly superuserUrl: string;
  /** An application's role: it may read and write the owner's tables and knows nothing of us. */
  readonly applicationUrl: string;
  /** Also ends the sessions that are still in it. */
  readonly drop: () => Promise<void>;
}

/** What may be different about a database: its server's version, and how our role belongs to the owner. */
export interface DatabaseWishes {
  readonly major?: Major;
  /** Superuser's URL of a server of the test's own, instead of the run's. */
  readonly server?: string;
  /** False: our role may only `SET ROLE` to the owner. */
  readonly inherit?: boolean;
}

/** An empty database of one's own. */
export async function freshDatabase({
  major = 18,
  inherit = true,
  ...wishes
}: DatabaseWishes = {}): Promise<TestDatabase> {
  const server = wishes.server ?? (await serverOf(major));
  const name = `test_${randomBytes(6).toString('hex')}`;
  const password = randomBytes(6).toString('hex');
  const [owner, guest, application] = [`${name}_owner`, `${name}_guest`, `${name}_app`];
  const login = `LOGIN PASSWORD '${password}'`;
  await statements(urlOf(server, 'postgres'), [
    `CREATE ROLE ${owner}`,
    `CREATE ROLE ${guest} ${login} ${inherit ? 'INHERIT' : 'NOINHERIT'}`,
    `CREATE ROLE ${application} ${login}`,
    `CREATE DATABASE ${name}`,
    `REVOKE ALL ON DATABASE ${name} FROM PUBLIC`,
    `GRANT CONNECT ON DATABASE ${name} TO ${application}, ${guest}`,
    `GRANT ${owner}, pg_read_all_stats TO ${guest}`,
    `GRANT TEMPORARY, CREATE ON DATABASE ${name} TO ${guest}`,
  ]);
  await statements(urlOf(server, name), [
    `REVOKE CREATE ON SCHEMA public FROM PUBLIC`,
    `GRANT CREATE ON SCHEMA public TO ${owner}`,
    `GRANT CREATE, TEMPORARY ON DATABASE ${name} TO ${owner}`,
    ...['TABLES', 'SEQUENCES'].map(
      (kind) => `ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} GRANT ALL ON ${kind} TO ${application}`,
    ),
    `ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} REVOKE REFERENCES, TRIGGER ON TABLES FROM ${application}`,
  ]);
  return {
    url: urlOf(server, name, { user: guest, password }),
    ownerUrl: `${urlOf(server, name)}?options=${encodeURIComponent(`-c role=${owner}`)}`,
    superuserUrl: urlOf(server, name),
    applicationUrl: urlOf(server, name, { user: application, password }),
    drop: () =>
      statements(urlOf(server, 'postgres'), [
        `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`,
        `DROP ROLE IF EXISTS ${owner}, ${guest}, ${application}`,
      ]),
  };
}

/** Superuser's URL of a server of that version; the first who asks waits for its start. */
async function serverOf(major: Major): Promise<string> {
  return major === 18 ? required('LAKESHIFT_TEST_POSTGRES') : otherServer(major);
}

const otherServer = (major: OtherMajor): Promise<string> => ask(required('LAKESHIFT_TEST_VERSIONS'), String(major));

/** The workflows, bundled once for the run: hand it to each Worker as `workflowBundle`. */
export function workflowBundle(): { codePath: string } {
  const failure = process.env['LAKESHIFT_TEST_BUNDLE_FAILURE'];
  if (failure !== undefined) throw new Error(`the workflows can't be bundled: ${failure}`);
  return { codePath: required('LAKESHIFT_TEST_BUNDLE') };
}

/**
 * What a process of ours needs of the environment beside what it is about, and what spares it work that was done once
 * for the run.
 */
export function processEnv(): NodeJS.ProcessEnv {
  const { PATH, NODE_COMPILE_CACHE, LAKESHIFT_TEST_BUNDLE: bundle } = process.env;
  return {
    PATH,
    ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }),
    ...(bundle === undefined ? {} : { LAKESHIFT_WORKFLOW_BUNDLE: bundle }),
  };
}

function urlOf(server: string, database: string, who?: { readonly user: string; readonly password: string }): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  if (who !== undefined) {
    url.username = who.user;
    url.password = who.password;
  }
  return url.href;
}

async function statements(url: string, sql: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of sql) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** What the set-up has told the tests; fails when it has not. */
export function required(variable: string): string {
  const value = process.env[variable];
  if (value === undefined) throw new Error(`${variable} is not set: test/support/global-setup.ts sets it`);
  return value;
}
