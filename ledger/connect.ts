import { Kysely, PostgresDialect } from 'kysely';
import { Pool, TypeOverrides, types } from 'pg';
import type { LedgerTables } from './tables.ts';

/** The name of our schema in the ledger's database. */
export const ledgerSchema = 'lakeshift_ledger';

/** The ledger's database, bound to our schema. */
export type Ledger = Kysely<LedgerTables>;

/** How the pool behaves. */
export interface LedgerOptions {
  /** Connections at the most. */
  readonly connections?: number;
  /** How long one statement may take, ms; 0: as long as it takes. Default 15 s. */
  readonly statementTimeoutMs?: number;
  /** Told of a connection that broke while nobody used it; the pool makes a new one. Gets SQLSTATE or errno. */
  readonly onIdleError?: (code: string) => void;
}

const exactNumbers = new TypeOverrides();
exactNumbers.setTypeParser(types.builtins.INT8, Number);

/** Opens a pool to the ledger. Nothing is connected yet; end it with `destroy()`. */
export function connectLedger(url: string, options: LedgerOptions = {}): Ledger {
  const { connections = 8, statementTimeoutMs = 15_000, onIdleError } = options;
  const pool = new Pool({
    connectionString: url,
    max: connections,
    application_name: 'lakeshift ledger',
    connectionTimeoutMillis: 5_000,
    statement_timeout: statementTimeoutMs,
    // Our bigints are counts of rows: far below 2^53, so numbers are exact.
    types: exactNumbers,
  });
  // Without a listener an idle connection that breaks would end the process.
  pool.on('error', (error) => onIdleError?.('code' in error ? String(error.code) : 'unknown'));
  return new Kysely<LedgerTables>({ dialect: new PostgresDialect({ pool }) }).withSchema(ledgerSchema);
}
