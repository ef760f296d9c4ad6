import type pg from 'pg';
import type { CheckFacts } from '../../contracts/activities.ts';
import type { Alteration, Finding, TablePlan, RowCheck } from '../../contracts/plan.ts';
import type { TableSpec } from '../../contracts/spec.ts';
import { judgeEvidence } from '../../decisions/judge-evidence.ts';
import { judgePreflight } from '../../decisions/judge-preflight.ts';
import { stageOf, type SqlWorld } from './sql-world.ts';
import { StageWalk } from './stage-walk.ts';

/** One write of an application: `{t}` is the table. A write of the new shape says what it means for the old one. */
export interface Write {
  readonly sql: string;
  /** The same for the twin, which has only the old shape; default: the same statement. */
  readonly twin?: string;
}

/** A table that goes through a change, and what an application does to it meanwhile. */
export interface TableStory {
  /** As in SQL, schema included. */
  readonly table: string;
  /** Statements by which its owner makes and fills it. */
  readonly prepare: readonly string[];
  readonly changes: TableSpec['changes'];
  /** Writes of an old version of the application: the n-th time round. Together they are one transaction each. */
  readonly writes: (n: number) => readonly Write[];
  /** Those of a new version, from the cutover on. */
  readonly newWrites?: (n: number) => readonly Write[];
  /** SQL over the old columns that the new ones must equal, by name. */
  readonly expected: Readonly<Record<string, string>>;
  readonly conflict?: TableSpec['conflict'];
  readonly protect?: TableSpec['protect'];
  /** SQL over the twin that a column equals, where a trigger of the table changes it. */
  readonly comparesWith?: Readonly<Record<string, string>>;
  /** Condition: which rows the twin knows of. */
  readonly only?: string;
  /** Columns that the server fills and the twin therefore lacks. */
  readonly ignored?: readonly string[];
}

export const stagesWithAWayBack = ['expand', 'backfill', 'verify', 'cutover', 'grace'] as const;
export type StageWithAWayBack = (typeof stagesWithAWayBack)[number];

/** Takes one table through the stages of a deployment, as the workflow would, while an application writes. */
export class TableLife {
  readonly world: SqlWorld;
  readonly story: TableStory;
  plan: TablePlan;
  readonly #app: Application;

  private constructor(world: SqlWorld, story: TableStory, plan: TablePlan, app: Application) {
    this.world = world;
    this.story = story;
    this.plan = plan;
    this.#app = app;
  }

  /** Makes the table, its twin and the plan, and lets the application begin. */
  static async begin(world: SqlWorld, story: TableStory): Promise<TableLife> {
    for (const sql of story.prepare) {
      const who = sql.startsWith('CREATE EXTENSION') ? world.superuser : world.client;
      await who.query(sql);
    }
    await world.client.query(
      `CREATE TABLE public.lakeshift_twin AS SELECT * FROM ${story.table}; ANALYZE ${story.table}`,
    );
    return TableLife.again(world, story, 0);
  }

  /** The same change once more, after the way back; the application's rounds begin at `round`. */
  static async again(world: SqlWorld, story: TableStory, round = 20_000): Promise<TableLife> {
    const plan = await world.plan(specOf(story));
    const app = new Application(await world.application(), story, round);
    return new TableLife(world, story, plan, app);
  }

  /** From the claim to the end of grace. */
  async forward(until: StageWithAWayBack = 'grace'): Promise<void> {
    const steps: Readonly<Record<StageWithAWayBack, () => Promise<void>>> = {
      expand: async () => {
        await this.#preflight();
        await this.#alter('expand', stageOf(this.plan, 'expand').perform);
      },
      backfill: async () => {
        while (!(await this.world.backfill(this.plan)).finished);
        await new StageWalk(this.world, this.plan).build('perform');
      },
      verify: async () => this.#equal('verify', stageOf(this.plan, 'verify').check),
      cutover: async () => {
        await this.#alter('cutover', stageOf(this.plan, 'cutover').perform);
        this.#app.isNew = true;
      },
      grace: async () => this.#equal('grace', stageOf(this.plan, 'grace').check),
    };
    this.#app.start();
    for (const stage of stagesWithAWayBack.slice(0, stagesWithAWayBack.indexOf(until) + 1)) {
      await this.#app.isAtWork();
      await steps[stage]();
    }
    await this.#app.isAtWork();
  }

  /** Drops the old shape and gives the claim back. */
  async contract(): Promise<void> {
    const { perform, performLong = [], evidence, check } = stageOf(this.plan, 'contract');
    await this.#app.stop();
    await this.#equal('contract', check);
    await this.compareWithTwin();
    const looks = await this.world.run('look', { target: 'shop', statements: evidence, mode: 'read-only' });
    expect(judgeEvidence(this.plan, looks, null).filter(({ level }) => level === 'refused')).toEqual([]);
    await this.#alter('contract', perform);
    await this.world.run('alterLong', { site: this.#site(), statements: performLong });
    await this.world.run('release', { site: this.#site() });
  }

  /** Takes back what was done, latest first, and gives the claim back; the application keeps writing the old shape. */
  async back(): Promise<void> {
    this.#app.isNew = false;
    await this.#app.isAtWork();
    await this.world.run('raiseFence', { site: this.#site() });
    for (const alteration of stageOf(this.plan, 'cutover').undo) await this.#alter('cutover', alteration);
    await new StageWalk(this.world, this.plan).build('undo');
    for (const alteration of stageOf(this.plan, 'expand').undo) await this.#alter('expand', alteration);
    await this.world.run('alterLong', { site: this.#site(), statements: stageOf(this.plan, 'expand').undoLong });
    await this.world.run('release', { site: this.#site() });
    await this.#app.isAtWork();
    await this.#app.stop();
  }

  /** Ends the application, however the story went. */
  async end(): Promise<void> {
    await this.#app.stop().catch(() => undefined);
  }

  /** The old columns hold what the twin holds, and the new ones what follows from it. */
  async compareWithTwin(side: 'both' | 'old' = 'both'): Promise<void> {
    const { table, expected } = this.story;
    const twinColumns = await this.world.rows<{ name: string }>(
      `SELECT quote_ident(attname) AS name FROM pg_attribute WHERE attrelid = 'lakeshift_twin'::regclass AND attnum > 0 ORDER BY attnum`,
    );
    const old = twinColumns.map(({ name }) => name).filter((name) => this.story.ignored?.includes(name) !== true);
    const fresh = side === 'both' ? Object.keys(expected) : [];
    const where = this.story.only === undefined ? '' : ` WHERE ${this.story.only}`;
    const twins = [
      ...old.map((name) => this.story.comparesWith?.[name] ?? name),
      ...fresh.map((name) => expected[name]),
    ].join(', ');
    const mine = `SELECT ROW(${[...old, ...fresh].join(', ')})::text FROM ${table}${where}`;
    const other = `SELECT ROW(${twins})::text FROM lakeshift_twin${where}`;
    const { rows } = await this.world.client.query(
      `SELECT (SELECT count(*)::int FROM (${mine} EXCEPT ALL ${other}) AS a) AS "notInTwin", (SELECT count(*)::int FROM (${other} EXCEPT ALL ${mine}) AS b) AS "onlyInTwin"`,
    );
    expect(rows).toEqual([{ notInTwin: 0, onlyInTwin: 0 }]);
  }

  /** Everything of the catalog that a rollback must leave as it was. */
  async catalog(): Promise<readonly unknown[]> {
    return catalogOf(this.world, this.story.table);
  }

  async #preflight(): Promise<void> {
    await this.world.run('claim', { site: this.#site(), plan: this.plan });
    const { looks, everyRow } = stageOf(this.plan, 'preflight');
    const rows = everyRow === null ? null : await this.#check('preflight', everyRow);
    const seen = await this.world.run('look', { target: 'shop', statements: looks, mode: 'read-only' });
    const refusals: readonly Finding[] = judgePreflight(this.plan, seen, rows).filter(
      ({ level }) => level === 'refused',
    );
    expect(refusals).toEqual([]);
  }

  async #alter(stage: string, alteration: Alteration): Promise<void> {
    await this.world.run('alter', { site: this.#site(), stage, alteration });
  }

  async #equal(stage: string, check: RowCheck | null): Promise<void> {
    if (check !== null) expect(await this.#check(stage, check)).toMatchObject({ finished: true, wrong: 0, lossy: 0 });
  }

  async #check(stage: string, check: RowCheck): Promise<CheckFacts> {
    const site = this.#site();
    const pass = String(site.turn);
    for (;;) {
      const facts = await this.world.run('checkRows', { site, stage, check, pass, rows: null, sliceMs: 60_000 });
      if (facts.finished) return facts;
    }
  }

  #site() {
    return this.world.site();
  }
}

/** The spec of a story's change. */
export const specOf = ({ table, changes, conflict, protect }: TableStory): TableSpec => ({
  name: 'tables',
  strategy: 'expand-contract',
  target: 'shop',
  table,
  changes,
  ...(conflict === undefined ? {} : { conflict }),
  ...(protect === undefined ? {} : { protect }),
});

/** One client that writes to the table and to its twin in the same transaction, until it is told to stop. */
class Application {
  readonly #client: pg.Client;
  readonly #story: TableStory;
  readonly #errors: string[] = [];
  #running: Promise<void> | null = null;
  #stopped = false;
  #rounds: number;
  isNew = false;

  constructor(client: pg.Client, story: TableStory, round: number) {
    this.#client = client;
    this.#story = story;
    this.#rounds = round;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Waits until it has written some more. */
  async isAtWork(): Promise<void> {
    const wanted = this.#rounds + 3;
    while (this.#rounds < wanted && this.#errors.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    expect(this.#errors).toEqual([]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    expect(this.#errors).toEqual([]);
  }

  async #run(): Promise<void> {
    await this.#client.query(`SET lock_timeout = '2s'; SET statement_timeout = '10s'`);
    while (!this.#stopped && this.#errors.length === 0) {
      const writes = (this.isNew ? this.#story.newWrites : undefined) ?? this.#story.writes;
      for (const { sql, twin } of writes(this.#rounds)) await this.#write(sql, twin ?? sql);
      this.#rounds += 1;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  async #write(sql: string, twin: string): Promise<void> {
    const [mine, twins] = [sql.replaceAll('{t}', this.#story.table), twin.replaceAll('{t}', 'public.lakeshift_twin')];
    try {
      await this.#client.query(`BEGIN; ${mine}; ${twins}; COMMIT`);
    } catch (error) {
      this.#errors.push(`${error instanceof Error ? error.message : String(error)} in ${mine}`);
      await this.#client.query('ROLLBACK');
    }
  }
}

/** Columns, constraints, triggers, rights and owners of a table, and every function and schema of the database. */
async function catalogOf(world: SqlWorld, table: string): Promise<readonly unknown[]> {
  const literal = `'${table.replaceAll("'", "''")}'::regclass`;
  return world.rows(`SELECT 'column' AS kind, attname::text AS name, jsonb_build_array(format_type(atttypid, atttypmod), attnotnull, atthasdef, attidentity, attgenerated, attcollation, attstorage, attacl::text)::text AS detail
      FROM pg_attribute WHERE attrelid = ${literal} AND attnum > 0 AND NOT attisdropped
    UNION ALL SELECT 'table', relname, jsonb_build_array(relowner, relacl::text, reloptions::text, relpersistence, relreplident, relrowsecurity)::text FROM pg_class WHERE oid = ${literal}
    UNION ALL SELECT 'trigger', tgname, pg_get_triggerdef(oid) || tgenabled::text FROM pg_trigger WHERE tgrelid = ${literal} AND NOT tgisinternal
    UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid) || convalidated FROM pg_constraint WHERE conrelid = ${literal}
    UNION ALL SELECT 'index', indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = ${literal}
    UNION ALL SELECT 'function', proname, pronamespace::regnamespace::text FROM pg_proc WHERE pronamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema'))
    UNION ALL SELECT 'schema', nspname, coalesce(nspacl, acldefault('n', nspowner))::text FROM pg_namespace WHERE nspname NOT LIKE 'pg_%' ORDER BY 1, 2, 3`);
}
