import { createHash } from 'node:crypto';
import { sql, type Transaction } from 'kysely';
import { ledgerSchema, type Ledger } from './connect.ts';
import { migrationsIn, refuseNewerLedger } from './migrate.ts';
import type { LedgerTables } from './tables.ts';

/** What the first line of a backup says of itself. */
export const backupFormat = 'lakeshift-ledger-backup-1';

/** Rows of one fetch: plans are large. */
const batch = 100;

/**
 * The whole ledger as lines of JSON, of one moment however long it takes: a header, a line for each row as
 * PostgreSQL writes it (`["events",{…}]`), and a last one with counts and the SHA-256 of all lines before it. `write`
 * gets lines with their ends, some at a time. Gives how many rows of each table.
 */
export const backupLedger = (
  ledger: Ledger,
  madeAt: number,
  write: (text: string) => Promise<void>,
): Promise<Readonly<Record<string, number>>> =>
  ledger
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (trx) => {
      await refuseNewerLedger(trx);
      const hash = createHash('sha256');
      const put = async (text: string): Promise<void> => {
        hash.update(text);
        await write(text);
      };
      const header = {
        format: backupFormat,
        madeAt: new Date(madeAt).toISOString(),
        migrations: await migrationsIn(trx),
      };
      await put(`${JSON.stringify(header)}\n`);
      const rows: Record<string, number> = {};
      for (const table of await tablesOf(trx)) rows[table] = await putTable(trx, table, put);
      await write(`${JSON.stringify({ rows, sha256: hash.digest('hex') })}\n`);
      return rows;
    });

/** Names of our tables; what others refer to comes first. */
export async function tablesOf(ledger: Ledger): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    select tablename as name from pg_tables
    where schemaname = ${ledgerSchema} and tablename not like 'kysely%' and tablename not like 'aside%'
    order by tablename <> 'deployments', tablename`.execute(ledger);
  return rows.map(({ name }) => name);
}

async function putTable(
  trx: Transaction<LedgerTables>,
  table: string,
  put: (text: string) => Promise<void>,
): Promise<number> {
  const from = sql.table(`${ledgerSchema}.${table}`);
  await sql`declare rows_to_keep no scroll cursor for select row_to_json(t)::text as row from ${from} t`.execute(trx);
  let count = 0;
  for (;;) {
    const { rows } = await sql<{ row: string }>`fetch ${sql.lit(batch)} from rows_to_keep`.execute(trx);
    if (rows.length > 0) await put(rows.map(({ row }) => `["${table}",${row}]\n`).join(''));
    count += rows.length;
    if (rows.length < batch) break;
  }
  await sql`close rows_to_keep`.execute(trx);
  return count;
}
