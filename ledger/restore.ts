import { createHash } from 'node:crypto';
import { sql, type Transaction } from 'kysely';
import { backupFormat, tablesOf } from './backup.ts';
import { ledgerSchema, type Ledger } from './connect.ts';
import { LedgerRefusal } from './failure.ts';
import { ledgerVersion, migrationsIn, moveLedger } from './migrate.ts';
import type { LedgerTables } from './tables.ts';

/** What a restore has brought. */
export interface Restored {
  readonly madeAt: string;
  readonly rows: Readonly<Record<string, number>>;
}

/** Reads the lines of a backup, without their ends, from the first. */
export type Lines = () => AsyncIterable<string>;

/** What a backup says of itself. */
interface Backup extends Restored {
  /** Number of its last migration. */
  readonly version: number;
}

type Tables = Transaction<LedgerTables>;

/** Rows of one insert at the most, and their characters. */
const batch = { rows: 500, characters: 4_000_000 };

/**
 * Puts a backup into an empty ledger, or with `replace` in the place of what is there, and brings it to the present
 * form. The backup is read to its end and checked before anything is touched, and all is one transaction. Throws
 * LedgerRefusal; then nothing has changed.
 */
export async function restoreLedger(ledger: Ledger, lines: Lines, replace: boolean): Promise<Restored> {
  const backup = await check(lines);
  await ledger.transaction().execute(async (trx) => {
    await sql`set local statement_timeout = 0`.execute(trx);
    await empty(trx, replace);
    await moveLedger(trx, backup.version);
    await load(trx, lines, Object.keys(backup.rows));
    await moveLedger(trx, ledgerVersion() ?? 0);
  });
  return { madeAt: backup.madeAt, rows: backup.rows };
}

const damaged = (how: string): LedgerRefusal =>
  new LedgerRefusal(`the backup is damaged: ${how}; nothing was restored`);

/** Reads all of a backup and compares it with what its last line says. */
async function check(lines: Lines): Promise<Backup> {
  const hash = createHash('sha256');
  const rows: Record<string, number> = {};
  let header: Header | null = null;
  let last: string | null = null;
  for await (const line of lines()) {
    if (last !== null) {
      hash.update(`${last}\n`);
      header = read(last, header, rows);
    }
    last = line;
  }
  if (header === null || last === null) throw new LedgerRefusal('this is no backup of a ledger');
  if (objectOf(last)?.['sha256'] !== hash.digest('hex')) {
    throw damaged('its last line is not there, or does not fit the others');
  }
  return { ...header, rows };
}

type Header = Pick<Backup, 'madeAt' | 'version'>;

/** Reads one line but the last: the first is the header, all others are rows. */
function read(line: string, header: Header | null, rows: Record<string, number>): Header {
  if (header === null) return headerOf(line);
  const { table } = rowOf(line);
  rows[table] = (rows[table] ?? 0) + 1;
  return header;
}

function headerOf(line: string): Header {
  const { format, madeAt, migrations } = objectOf(line) ?? {};
  if (format !== backupFormat || !Array.isArray(migrations) || typeof madeAt !== 'string') {
    throw new LedgerRefusal('this is no backup of a ledger, or of a version that this one does not know');
  }
  const last: unknown = migrations.at(-1);
  const version = typeof last === 'string' ? ledgerVersion(last) : 0;
  if (version === null) {
    throw new LedgerRefusal(`the backup is of a newer version (${String(last)}); restore it with that one`);
  }
  return { madeAt, version };
}

/** The row stays the text that PostgreSQL wrote: no number of it becomes another one on the way. */
function rowOf(line: string): { readonly table: string; readonly row: string } {
  const [, table, row] = /^\["(\w+)",(\{.*\})\]$/s.exec(line) ?? [];
  if (table === undefined || row === undefined) throw damaged('a line is no row');
  return { table, row };
}

function objectOf(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null; // any object
  } catch {
    return null;
  }
}

async function empty(trx: Tables, replace: boolean): Promise<void> {
  if ((await migrationsIn(trx)).length === 0) return;
  const tables = await tablesOf(trx);
  for (const table of tables) {
    const { rows } = await sql`select from ${sql.table(`${ledgerSchema}.${table}`)} limit 1`.execute(trx);
    if (rows.length === 0 || replace) continue;
    throw new LedgerRefusal(
      `the ledger is not empty (${table}); --replace puts the backup in the place of all that is there`,
    );
  }
  const all = tables.map((table) => sql.table(`${ledgerSchema}.${table}`));
  if (all.length > 0) await sql`truncate ${sql.join(all)}`.execute(trx);
}

async function load(trx: Tables, lines: Lines, tables: readonly string[]): Promise<void> {
  const known = await tablesOf(trx);
  const missing = tables.filter((table) => !known.includes(table));
  if (missing.length > 0) throw damaged(`there is no table ${missing.join(', ')} in its version`);
  let table = '';
  let rows: string[] = [];
  let characters = 0;
  const flush = async (): Promise<void> => {
    if (rows.length > 0) await insert(trx, table, rows);
    rows = [];
    characters = 0;
  };
  for await (const line of lines()) {
    if (!line.startsWith('[')) continue;
    const next = rowOf(line);
    if (next.table !== table || rows.length >= batch.rows || characters >= batch.characters) await flush();
    table = next.table;
    rows.push(next.row);
    characters += next.row.length;
  }
  await flush();
}

async function insert(trx: Tables, table: string, rows: readonly string[]): Promise<void> {
  const into = sql.table(`${ledgerSchema}.${table}`);
  await sql`insert into ${into} select * from jsonb_populate_recordset(null::${into}, ${`[${rows.join(',')}]`}::jsonb)`.execute(
    trx,
  );
}
