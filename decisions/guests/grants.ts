import type { Grant } from '../../contracts/api.ts';
import type { TableFacts } from '../../contracts/facts.ts';
import { literal, quote } from '../sql/postgres/identifier.ts';

/** What is known of the role and of where it is to work. */
export interface GrantsInput {
  readonly role: string;
  readonly homeSchema: string;
  /** The table that is to be changed; null: none was named. */
  readonly table: { readonly schema: string; readonly table: string } | null;
  /** What our role saw there; null: it cannot look yet, which is how it is before the first grant. */
  readonly facts: TableFacts | null;
}

/**
 * The exact statements for a role of ours, for a superuser or the owner of the database to run in that database. What
 * could not be looked up (the owner of the table, the name of the database) the statement looks up itself.
 */
export function grantsOf(input: GrantsInput): readonly Grant[] {
  const { role } = input;
  const there = givenTo(input);
  const needed = (id: keyof Given, sql: string, note: string): Grant => ({
    id,
    sql,
    note,
    needed: true,
    there: there[id],
  });
  return [
    needed(
      'role',
      `CREATE ROLE ${quote(role)} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT`,
      'a role of its own, without any power over the server; give it a password or a certificate',
    ),
    needed('connect', onDatabase(input, 'CONNECT'), 'without it the target cannot be reached'),
    ...ownerGrant(input, there.owner),
    needed(
      'home',
      `CREATE SCHEMA ${quote(input.homeSchema)} AUTHORIZATION ${quote(role)}`,
      'made beforehand, our schema stays; without it, and without CREATE ON DATABASE, the plan is refused',
    ),
    needed(
      'temporary',
      onDatabase(input, 'TEMPORARY'),
      'trials of expressions and row checks; without it the plan is refused',
    ),
    ...optional(role),
    ...logGrant(input),
  ];
}

type Given = Readonly<Record<'role' | 'connect' | 'owner' | 'home' | 'temporary', boolean | null>>;

/** What our role saw of its own rights; of another role nobody has seen any. */
function givenTo({ facts, role }: GrantsInput): Given {
  if (facts?.rights.role !== role) return { role: null, connect: null, owner: null, home: null, temporary: null };
  const { ownsTable, schemaReady, temporary } = facts.rights;
  return { role: true, connect: true, owner: ownsTable, home: schemaReady, temporary };
}

function ownerGrant({ table, facts, role }: GrantsInput, there: boolean | null): Grant[] {
  if (table === null) return [];
  const note = 'only an owner may alter a table; without it the plan is refused';
  return [{ id: 'owner', sql: membership(table, facts?.owner ?? null, role), note, needed: true, there }];
}

function membership({ schema, table }: { schema: string; table: string }, owner: string | null, role: string): string {
  if (owner !== null) return `GRANT ${quote(owner)} TO ${quote(role)}`;
  const name = literal(`${quote(schema)}.${quote(table)}`);
  return perform(
    `'GRANT %I TO %I', (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = ${name}::regclass), ${literal(role)}`,
  );
}

function onDatabase({ facts, role }: GrantsInput, right: 'CONNECT' | 'TEMPORARY'): string {
  const database = facts?.rights.database;
  return database === undefined
    ? perform(`'GRANT ${right} ON DATABASE %I TO %I', current_database(), ${literal(role)}`)
    : `GRANT ${right} ON DATABASE ${quote(database)} TO ${quote(role)}`;
}

const perform = (format: string): string => `DO $grant$ BEGIN EXECUTE format(${format}); END $grant$`;

const optional = (role: string): Grant[] => [
  {
    id: 'activity',
    sql: `GRANT pg_read_all_stats TO ${quote(role)}`,
    note: 'to see whether an application is at work and who holds a table; without it the backfill keeps its cautious pace and waits name nobody. pg_monitor includes it and is not needed',
    needed: false,
    there: null,
  },
  {
    id: 'statements',
    sql: 'CREATE EXTENSION IF NOT EXISTS pg_stat_statements',
    note: 'who reads the old column, who uses SELECT *; without it findings and evidence say unknown. The server must load it (shared_preload_libraries)',
    needed: false,
    there: null,
  },
];

/** Servers before PostgreSQL 15 do not know the statement. */
const logGrant = ({ role, facts }: GrantsInput): Grant[] =>
  facts !== null && facts.serverVersion < 150_000
    ? []
    : [
        {
          id: 'log',
          sql: `GRANT SET ON PARAMETER wal_compression TO ${quote(role)}`,
          note: 'the backfill has the images of pages that it writes to the log compressed (lz4), for its own sessions alone',
          needed: false,
          there: null,
        },
      ];
