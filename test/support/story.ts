import pg from 'pg';
import type { TablePlan } from '../../contracts/plan.ts';
import { CuttingProxy, type Fate } from './cutting-proxy.ts';
import { deliver, type Step } from './deliver.ts';
import { postgresUrl, type TestDatabase } from './servers.ts';
import { SqlWorld } from './sql-world.ts';

/** A table of which any number of copies can be made, each in a database of its own. */
export class Mould {
  readonly plan: TablePlan;
  readonly #template: TestDatabase;
  #copies = 0;

  private constructor(template: TestDatabase, plan: TablePlan) {
    this.#template = template;
    this.plan = plan;
  }

  /** `rows` payments, and a trigger that notes each row that is written. */
  static async make(rows: number): Promise<Mould> {
    const world = await SqlWorld.open();
    await world.payments(rows);
    await world.client.query(
      `CREATE TABLE touched (id bigint);
       CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO touched VALUES (NEW.id); RETURN NULL; END $$;
       CREATE TRIGGER touch AFTER UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION touch()`,
    );
    const plan = await world.plan();
    await Promise.all([world.client.end(), world.superuser.end()]);
    return new Mould(world.database, plan);
  }

  /** Runs work with a fresh copy. */
  async withCopy<T>(work: (copy: Copy) => Promise<T>): Promise<T> {
    const template = new URL(this.#template.url).pathname.slice(1);
    const name = `${template}_${++this.#copies}`;
    const inCopy = (url: string): string => Object.assign(new URL(url), { pathname: `/${name}` }).href;
    await onServer(`CREATE DATABASE ${name} TEMPLATE ${template}`);
    try {
      // a copy has all but the rights on the database itself
      await onServer(`GRANT CREATE, TEMPORARY ON DATABASE ${name} TO ${template}_owner, ${template}_guest`);
      return await work({ url: inCopy(this.#template.url), superuserUrl: inCopy(this.#template.superuserUrl) });
    } finally {
      await onServer(`DROP DATABASE ${name} WITH (FORCE)`);
    }
  }

  close(): Promise<void> {
    return this.#template.drop();
  }
}

type Copy = Pick<TestDatabase, 'url' | 'superuserUrl'>;

/** How a story went. */
export interface Telling {
  /** What failures the deliveries ended with, in order, each with the statement that met its fate. */
  readonly failures: readonly { readonly step: string; readonly sql: string; readonly type: string }[];
  /** What is in the database afterwards. */
  readonly ending: unknown;
}

/**
 * Carries out the steps in a fresh copy. A step's first delivery loses its connection at its first statement, the
 * second at its second, and so on until it gets through; null: nothing is lost.
 */
export const tell = (mould: Mould, steps: readonly Step[], fate: Fate | null): Promise<Telling> =>
  mould.withCopy(async ({ url, superuserUrl }) => {
    const proxy = await CuttingProxy.open(url);
    const failures: { step: string; sql: string; type: string }[] = [];
    try {
      for (const step of steps) {
        for (let attempt = 1; ; attempt++) {
          proxy.fate(({ n }) => (n === attempt && fate !== null ? fate : 'pass'));
          const error = await deliver(proxy.url, step, attempt).then(
            () => null,
            (thrown: unknown) => thrown,
          );
          if (error === null) break;
          failures.push({ step: step.name, sql: proxy.statements[attempt - 1] ?? '', type: typeOf(error) });
          if (fate === null) break;
        }
      }
      return { failures, ending: await endingOf(superuserUrl) };
    } finally {
      await proxy.close();
    }
  });

/** What became of a first copy that was overtaken. */
export interface Overtaken {
  readonly step: string;
  readonly sql: string;
  /** `done`, or the code of its failure. */
  readonly end: string;
}

/**
 * Carries out the steps in a fresh copy, each delivered twice: the first copy is held at its `k`-th statement until the
 * second one, and the step that follows, are through.
 */
export const tellTwice = (mould: Mould, steps: readonly Step[], k: number, where: 'before' | 'after') =>
  mould.withCopy(async ({ url, superuserUrl }): Promise<{ overtaken: readonly Overtaken[]; ending: unknown }> => {
    const overtaken: Overtaken[] = [];
    let free = (): Promise<void> => Promise.resolve();
    for (const step of steps) {
      const proxy = await CuttingProxy.open(url);
      let open = (): void => undefined;
      const gate = new Promise<void>((resolve) => (open = resolve));
      const held = new Promise<string>((resolve) => {
        proxy.fate(({ n, sql }) => {
          if (n !== k) return 'pass';
          resolve(sql);
          return where === 'before' ? { before: gate } : { after: gate };
        });
      });
      const first = deliver(proxy.url, step).then(() => 'done', typeOf);
      const sql = await Promise.race([held, first.then(() => null)]);
      // on a machine that is very busy it may not even have got a connection in time: then, too, it is tried again
      if (sql !== null || (await first) === 'TARGET_UNREACHABLE') await deliver(url, step, 2);
      await free();
      free = async () => {
        open();
        const end = await first;
        if (sql !== null) overtaken.push({ step: step.name, sql, end });
        await proxy.close();
      };
    }
    await free();
    return { overtaken, ending: await endingOf(superuserUrl) };
  });

/** The code of a failure of ours. */
export const typeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'type' in error ? String(error.type) : String(error);

/** What is in a database after a story: the rows, how often each was written by us, the table's shape, what is left of us. */
export async function endingOf(url: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(
      `SELECT (SELECT md5(string_agg(to_jsonb(p)::text, ',' ORDER BY id)) FROM payments p) AS rows,
         (SELECT coalesce(max(n), 0)::int FROM (SELECT count(*) AS n FROM touched GROUP BY id) AS t) AS most,
         (SELECT count(*)::int FROM touched) AS writes,
         (SELECT jsonb_agg(jsonb_build_array(attname, attnotnull) ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'payments'::regclass AND attnum > 0 AND NOT attisdropped) AS columns,
         (SELECT count(*)::int FROM pg_trigger WHERE tgrelid = 'payments'::regclass) AS triggers,
         (SELECT count(*)::int FROM pg_constraint WHERE conrelid = 'payments'::regclass AND contype = 'c') AS checks,
         EXISTS (SELECT FROM pg_namespace WHERE nspname = 'lakeshift') AS home`,
    );
    return rows[0];
  } finally {
    await client.end();
  }
}

async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: postgresUrl() });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
