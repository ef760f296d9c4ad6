import type { Row } from '../../contracts/json.ts';
import { textOf, type Session } from './session.ts';

/** A transaction that holds a lock of the table. */
export interface Holder {
  /** In words: pid, application, how long. Never a statement. */
  readonly words: string;
  /** How long its transaction has lasted at least, ms. */
  readonly forMs: number;
}

/** Who holds a table. How long that has been so we know at least since we first saw it, whatever our role may see. */
export class LockHolders {
  readonly #session: Session;
  readonly #tables: readonly string[];
  #firstSeen = new Map<string, number>();

  /** `tables`: their quoted names. */
  constructor(session: Session, tables: readonly string[]) {
    this.#session = session;
    this.#tables = tables;
  }

  /** Transactions that hold any lock on the tables or a partition of them, the oldest first: DDL conflicts with every one. */
  async look(): Promise<readonly Holder[]> {
    const rows = await this.#session.query(sql, [this.#tables]);
    const now = performance.now();
    this.#firstSeen = new Map(rows.map((row) => [idOf(row), this.#firstSeen.get(idOf(row)) ?? now]));
    return rows
      .map((row) => this.#holder(row, now - (this.#firstSeen.get(idOf(row)) ?? now)))
      .toSorted((a, b) => b.forMs - a.forMs);
  }

  #holder(row: Row, seenForMs: number): Holder {
    const age = row['age_ms'];
    const forMs = Math.max(seenForMs, typeof age === 'number' ? age : 0);
    const who = row['pid'] === null ? 'a prepared transaction' : `pid ${textOf(row['pid'])}`;
    const seconds = `${typeof age === 'number' ? '' : 'at least '}${(forMs / 1_000).toFixed(1)} s`;
    return { forMs, words: `${who} (${textOf(row['application'])}, ${seconds})` };
  }
}

const idOf = (row: Row): string => textOf(row['transaction']);

/** The tables of quoted names; to_regclass would ask for rights on their schemas. */
const named = `SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE '"' || replace(n.nspname, '"', '""') || '"."' || replace(c.relname, '"', '""') || '"' = ANY ($1) OR format('%I.%I', n.nspname, c.relname) = ANY ($1)`;

/**
 * Of what an application calls itself only a plain beginning is kept: some put their whole address there, password and
 * all.
 */
const sql = `WITH RECURSIVE tree (oid) AS (${named} UNION ALL SELECT i.inhrelid FROM pg_inherits i JOIN tree ON i.inhparent = tree.oid)
SELECT l.virtualtransaction AS transaction, l.pid, coalesce(nullif(substring(a.application_name from '^[[:alnum:] _.-]*'), ''), a.backend_type, a.usename::text, 'unknown') AS application,
  (extract(epoch FROM clock_timestamp() - min(a.xact_start)) * 1000)::float8 AS age_ms
FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.relation IN (SELECT oid FROM tree) AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.granted AND l.pid IS DISTINCT FROM pg_backend_pid() GROUP BY 1, 2, 3`;
