import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import pg from 'pg';
import { createSqlActivities, type SqlActivities } from '../../activities/sql/index.ts';
import type { TableFacts } from '../../contracts/facts.ts';
import type { TableSpec } from '../../contracts/spec.ts';
import { sqlDialects } from '../../decisions/sql/dialect.ts';
import { freshDatabase, type TestDatabase } from '../support/servers.ts';

/** How one delivery of an activity ended. */
export type Ending = { readonly ok: true; readonly facts: unknown } | { readonly ok: false; readonly failure: string };

/**
 * A database in which sequences are run one after the other, each on a table of its own: with its connections and with
 * what was found out about tables of the same form.
 */
export class Ground {
  readonly homeSchema = 'lakeshift';
  /** The application, by a role that knows nothing of us. */
  readonly app: pg.Client;
  /** The application's transaction that stays open. */
  readonly holder: pg.Client;
  /** The owner of the tables: makes them, and does behind our back what an owner may. */
  readonly owner: pg.Client;
  /** The eyes of the test, which see everything. */
  readonly eyes: pg.Client;
  readonly #database: TestDatabase;
  readonly #forms = new Map<string, TableFacts>();
  #tables = 0;

  private constructor(database: TestDatabase) {
    this.#database = database;
    const { applicationUrl, ownerUrl, superuserUrl } = database;
    const client = (connectionString: string): pg.Client => new pg.Client({ connectionString });
    [this.app, this.holder] = [client(applicationUrl), client(applicationUrl)];
    [this.owner, this.eyes] = [client(ownerUrl), client(superuserUrl)];
  }

  static async open(): Promise<Ground> {
    const ground = new Ground(await freshDatabase());
    for (const client of ground.#clients) {
      await client.connect();
      // a statement that waits for one of ours for so long has failed by us
      await client.query(`SET statement_timeout = '5s'`);
    }
    return ground;
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end()));
    await this.#database.drop();
  }

  /** The target as our role reaches it. */
  get url(): string {
    return this.#database.url;
  }

  get #clients(): readonly pg.Client[] {
    return [this.app, this.holder, this.owner, this.eyes];
  }

  newTable(): string {
    this.#tables += 1;
    return `t${this.#tables}`;
  }

  /** What *inspect* would say of a table; asked once for each form of table. */
  async facts(form: string, table: string, spec: TableSpec): Promise<TableFacts> {
    const known = this.#forms.get(form) ?? (await this.#inspect(spec));
    this.#forms.set(form, known);
    const { rows } = await this.eyes.query<{ oid: string; pages: string }>(
      `SELECT oid, pg_relation_size(oid) / 8192 AS pages FROM pg_class WHERE oid = $1::regclass`,
      [table],
    );
    const pages = Number(rows[0]?.pages);
    return { ...known, table, oid: Number(rows[0]?.oid), pages, bytes: pages * 8_192, rows: pages * 14 };
  }

  async #inspect(spec: TableSpec): Promise<TableFacts> {
    const dialect = sqlDialects.postgres;
    const look = async (
      statements: Parameters<SqlActivities['look']>[0]['statements'],
      mode: 'read-only' | 'discard',
    ) => {
      const ending = await Ground.deliver('look', { target: 'shop', statements, mode }, this.url);
      if (!ending.ok) throw new Error(`a look failed: ${ending.failure}`);
      return ending.facts as Awaited<ReturnType<SqlActivities['look']>>;
    };
    const facts = dialect.facts(spec, await look(dialect.inspect(spec, this.homeSchema), 'read-only'));
    const trials = await look(dialect.probes(spec, facts), 'discard');
    return { ...facts, expressions: dialect.expressions(spec, facts.columns, trials) };
  }

  /** Runs one activity as a worker would, on a target that is reached by this URL. */
  static async deliver(activity: keyof SqlActivities, input: unknown, url: string): Promise<Ending> {
    const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    const activities = createSqlActivities({
      target: () => ({ name: 'shop', url }),
      tell: () => Promise.resolve(),
    });
    // the carrier has made this input for this activity; TypeScript cannot follow that through a variable name
    const run = activities[activity] as (given: unknown) => Promise<unknown>;
    try {
      return { ok: true, facts: await environment.run(() => run(input)) };
    } catch (error) {
      return { ok: false, failure: failureOf(error) };
    }
  }
}

function failureOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'type' in error && typeof error.type === 'string' ? error.type : `${error.name}: ${error.message}`;
}
