import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const everyMs = 10;

/**
 * Looks every few milliseconds who waits for a lock of a table. What is counted are looks, not time: where the machine
 * is slow, so are the looks.
 */
export class TableWaits {
  readonly #client: pg.Client;
  readonly #loop: Promise<void>;
  readonly #seen = new Map<string, number>();
  #ending = false;

  looks = 0;
  /** Looks in which a session of ours stood in the queue. */
  ours = 0;

  private constructor(client: pg.Client, table: string) {
    this.#client = client;
    this.#loop = this.#watch(table);
  }

  /** `url`: a superuser's, who sees who waits for whom. */
  static async watch(url: string, table: string): Promise<TableWaits> {
    const client = new pg.Client({ connectionString: url, application_name: 'test' });
    await client.connect();
    return new TableWaits(client, table);
  }

  /** Of the waits of others that a session of ours was the cause of, the one that was seen most often: in how many looks. */
  get longestBehindUs(): number {
    return Math.max(0, ...this.#seen.values());
  }

  /** A second call does nothing. */
  async end(): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    await this.#loop;
    await this.#client.end();
  }

  async #watch(table: string): Promise<void> {
    while (!this.#ending) {
      const { rows } = await this.#client.query<{ wait: string; ours: boolean; behind: boolean }>(waiting, [table]);
      this.looks += 1;
      if (rows.some(({ ours }) => ours)) this.ours += 1;
      for (const { wait } of rows.filter(({ ours, behind }) => behind && !ours))
        this.#seen.set(wait, (this.#seen.get(wait) ?? 0) + 1);
      await sleep(everyMs);
    }
  }
}

/** A wait is one of a transaction: each statement of the application is a transaction of its own. */
const waiting = `SELECT l.virtualtransaction AS wait, a.application_name LIKE 'lakeshift %' AS ours,
  EXISTS (SELECT FROM pg_stat_activity b WHERE b.pid = ANY (pg_blocking_pids(l.pid)) AND b.application_name LIKE 'lakeshift %') AS behind
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.relation = $1::text::regclass AND NOT l.granted`;
