import { sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { ledgerSchema, type Ledger } from './connect.ts';
import { migrations } from './migrations/index.ts';

/**
 * Brings the ledger to the present form. Several processes may do it at the same time: kysely holds an advisory lock
 * while it migrates. Throws the driver's error when it fails; then nothing has changed.
 */
export async function migrateLedger(ledger: Ledger): Promise<readonly string[]> {
  await createSchema(ledger);
  const migrator = new Migrator({
    db: ledger,
    migrationTableSchema: ledgerSchema,
    provider: { getMigrations: () => Promise.resolve({ ...migrations }) },
  });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error !== undefined) throw error instanceof Error ? error : new Error('the migration failed');
  return results.filter(({ status }) => status === 'Success').map(({ migrationName }) => migrationName);
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
