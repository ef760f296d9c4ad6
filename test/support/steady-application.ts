import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** How long the application waits for a lock before its statement fails, ms: far less than a report takes. */
const patienceMs = 2_000;
/** Each session has the rows whose ids leave this many another rest: none waits for a row of another. */
const sessions = 4;

/** An application that reads and writes payments in short statements, from several sessions, until it is ended. */
export class SteadyApplication {
  readonly #clients: readonly pg.Client[];
  readonly #rows: number;
  readonly #loops: Promise<unknown>;
  #ending = false;

  /** How many rounds of statements have come to their end. */
  done = 0;
  readonly failures: string[] = [];

  private constructor(clients: readonly pg.Client[], rows: number) {
    this.#clients = clients;
    this.#rows = rows;
    this.#loops = Promise.all(clients.map((client, rest) => this.#loop(client, rest)));
  }

  static async start(connectionString: string, rows: number): Promise<SteadyApplication> {
    const clients = Array.from(
      { length: sessions },
      () => new pg.Client({ connectionString, application_name: 'shop', lock_timeout: patienceMs }),
    );
    for (const client of clients) await client.connect();
    return new SteadyApplication(clients, rows);
  }

  /** Lets the present statements end; a second call does nothing. */
  async end(): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    await this.#loops;
    await Promise.all(this.#clients.map((client) => client.end()));
  }

  async #loop(client: pg.Client, rest: number): Promise<void> {
    for (let turn = 1; !this.#ending; turn++) {
      const id = ((turn * sessions) % this.#rows) + rest;
      try {
        await client.query('SELECT amount FROM payments WHERE id = $1', [id]);
        await client.query('UPDATE payments SET amount = amount + 0.01 WHERE id = $1', [id]);
        await client.query(`INSERT INTO payments (amount, note) VALUES ($1, 'new')`, [id / 100]);
      } catch (error) {
        this.failures.push(String(error));
      }
      this.done += 1;
      await sleep(5);
    }
  }
}
