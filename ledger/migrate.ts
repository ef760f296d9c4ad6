import { sql } from 'kysely';
import { Migrator, NO_MIGRATIONS, type MigrationResultSet } from 'kysely/migration';
import { ledgerSchema, type Ledger } from './connect.ts';
import { LedgerRefusal } from './failure.ts';
import { migrations } from './migrations/index.ts';

/** One migration that was done or taken back. */
export interface Move {
  readonly name: string;
  readonly direction: 'up' | 'down';
}

const names = Object.keys(migrations).sort();

/** Number of the newest migration of this version, of the one with a name, or null: no such one. */
export const ledgerVersion = (name = names.at(-1)): number | null =>
  name === undefined || !names.includes(name) ? null : names.indexOf(name) + 1;

/**
 * Brings the ledger to the present form. Several processes may do it at the same time: one after the other
 * does, each in one transaction. Throws the driver's error when it fails, LedgerRefusal when the
 * ledger is newer than this version; then nothing has changed.
 */
export async function migrateLedger(ledger: Ledger): Promise<readonly string[]> {
  return (await moveLedger(ledger, names.length)).map(({ name }) => name);
}

/** Brings the ledger to the form of its migration number `to`, forwards or backwards; 0: before the first. */
export async function moveLedger(ledger: Ledger, to: number): Promise<readonly Move[]> {
  if (ledger.isTransaction) return move(ledger, to);
  return ledger.connection().execute(async (connection) => {
    // Whoever waits for another process that migrates a large ledger must not give up.
    await sql`set statement_timeout = 0`.execute(connection);
    // kysely's own lock comes after its look at the tables, which fails while another process drops one
    await sql`select pg_advisory_lock(hashtext('lakeshift ledger'))`.execute(connection);
    try {
      return await move(connection, to);
    } finally {
      await sql`select pg_advisory_unlock(hashtext('lakeshift ledger'))`.execute(connection).catch(() => undefined);
      await sql`reset statement_timeout`.execute(connection).catch(() => undefined);
    }
  });
}

async function move(ledger: Ledger, to: number): Promise<readonly Move[]> {
  const name = to === 0 ? NO_MIGRATIONS : names[to - 1];
  if (name === undefined) throw new LedgerRefusal(`this version knows the migrations 1 to ${names.length}, not ${to}`);
  await refuseNewerLedger(ledger);
  await createSchema(ledger);
  const migrator = new Migrator({
    db: ledger,
    migrationTableSchema: ledgerSchema,
    provider: { getMigrations: () => Promise.resolve({ ...migrations }) },
  });
  return movesOf(await migrator.migrateTo(name));
}

function movesOf({ error, results = [] }: MigrationResultSet): readonly Move[] {
  if (error !== undefined) throw error instanceof Error ? error : new Error('the migration failed');
  return results
    .filter(({ status }) => status === 'Success')
    .map(({ migrationName, direction }) => ({ name: migrationName, direction: direction === 'Up' ? 'up' : 'down' }));
}

/** Throws LedgerRefusal when a newer version has migrated the ledger: this one would read and write it wrongly. */
export async function refuseNewerLedger(ledger: Ledger): Promise<void> {
  const unknown = (await migrationsIn(ledger)).filter((name) => !names.includes(name));
  if (unknown.length === 0) return;
  throw new LedgerRefusal(
    `the ledger is of a newer version (${unknown.join(', ')}); this one knows it up to ${names.at(-1) ?? 'nothing'}: ` +
      `start the newer version, or take the ledger back with it: lakeshift ledger migrate --to ${names.length}`,
  );
}

/** Names of the migrations that the ledger has, in order; none when it has never been migrated. */
export async function migrationsIn(ledger: Ledger): Promise<readonly string[]> {
  const table = 'kysely_migration';
  const { rows } = await sql`
    select from pg_tables where schemaname = ${ledgerSchema} and tablename = ${table}`.execute(ledger);
  if (rows.length === 0) return [];
  const found = await sql<{
    name: string;
  }>`select name from ${sql.table(`${ledgerSchema}.${table}`)} order by name`.execute(ledger);
  return found.rows.map(({ name }) => name);
}

/** `if not exists` is no protection against another process that creates it at the same moment. */
async function createSchema(ledger: Ledger): Promise<void> {
  const exists = async (): Promise<boolean> => {
    const { rows } = await sql`select from pg_namespace where nspname = ${ledgerSchema}`.execute(ledger);
    return rows.length > 0;
  };
  if (await exists()) return;
  try {
    await sql`create schema if not exists ${sql.id(ledgerSchema)}`.execute(ledger);
  } catch (error) {
    if (!(await exists())) throw error;
  }
}
