import { sql, type Kysely } from 'kysely';

/** A migration that can be taken back. `down` loses nothing: what an older version has no place for is put aside. */
export interface ReversibleMigration {
  up(db: Kysely<unknown>): Promise<void>;
  down(db: Kysely<unknown>): Promise<void>;
}

const asideName = (version: string, table: string): string => `aside_${version}_${table}`;
const full = (table: string) => sql.table(`lakeshift_ledger.${table}`);

/** Keeps a table under a name that no version reads, until the same migration goes up again. */
export async function putAside(db: Kysely<unknown>, version: string, table: string): Promise<void> {
  await sql`alter table ${full(table)} rename to ${sql.id(asideName(version, table))}`.execute(db);
}

/** Gives a table its name back; false: none was put aside. */
export async function takeBack(db: Kysely<unknown>, version: string, table: string): Promise<boolean> {
  const aside = asideName(version, table);
  const { rows } =
    await sql`select from pg_tables where schemaname = 'lakeshift_ledger' and tablename = ${aside}`.execute(db);
  if (rows.length === 0) return false;
  await sql`alter table ${full(aside)} rename to ${sql.id(table)}`.execute(db);
  return true;
}
