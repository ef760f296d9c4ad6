import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TableSpec } from '../../contracts/spec.ts';
import { catalogSnapshot } from '../support/catalog-snapshot.ts';
import { byHand, deploy, deployment, eject, reach, states, type State } from '../support/half-done.ts';
import { psql, runPsql, runScript } from '../support/run-sql.ts';
import { majors, type Major } from '../support/servers.ts';
import { centsSpec, SqlWorld, stageOf } from '../support/sql-world.ts';

const accepts = { cutover: { accept: 'prepared-statement-errors' } } as const;
const specs: readonly [string, TableSpec][] = [
  ['a type change', centsSpec],
  ['an added column', { ...centsSpec, changes: [{ add: 'extra text', up: `upper(note)`, default: `'none'` }] }],
  ['a column without values', { ...centsSpec, changes: [{ add: 'extra text' }] }],
  ['a column that goes', { ...centsSpec, changes: [{ drop: 'amount', down: '0.5' }] }],
  ['a column that may not be empty', { ...centsSpec, changes: [{ notNull: 'note', up: `'none'` }] }],
  [
    'several changes',
    {
      ...centsSpec,
      conflict: 'new-wins',
      changes: [
        ...centsSpec.changes,
        { type: 'note', to: '"Note, long" varchar(200)', up: 'note', down: '"Note, long"' },
        { add: 'flag boolean', up: 'amount > 100' },
      ],
    },
  ],
  ['a rename', { ...centsSpec, changes: [{ rename: 'note', to: 'remark' }] }],
  [
    'a type under its own name',
    {
      ...centsSpec,
      ...accepts,
      changes: [{ type: 'amount', to: 'amount bigint', up: 'amount * 100', down: 'amount / 100.0' }],
    },
  ],
];

/** Where a deployment stands that is taken back, or finished: on older servers where most is left to do. */
interface Stands {
  readonly back: readonly State[];
  readonly finish: readonly State[];
}
const newest: Stands = { back: states, finish: states };
const older: Stands = { back: ['grace'], finish: ['backfill'] };

/** Every change and stage on the newest server; on the others those whose statements differ between versions. */
const cases = majors.flatMap((major) =>
  specs
    .filter(([name]) => major === 18 || ['several changes', 'a type under its own name'].includes(name))
    .map(([name, spec]) => ({ name, spec, major, stands: major === 18 ? newest : older })),
);

let world: SqlWorld;
function eachOn(major: Major): void {
  beforeEach(async () => {
    world = await SqlWorld.open({ major });
  }, 120_000);
  afterEach(() => world.close());
}

/** A table with much that could be left changed. */
async function prepare({ keyed = true, count = 3_000 } = {}): Promise<void> {
  await world.payments(count);
  if (!keyed) await world.client.query('ALTER TABLE payments DROP CONSTRAINT payments_pkey');
  await world.client.query(`
    CREATE TABLE log (id bigint, CONSTRAINT positive CHECK (id > 0));
    CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
    CREATE TRIGGER audit BEFORE UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION audit();
    CREATE VIEW recent AS SELECT id, id + 1 AS next FROM payments;
    COMMENT ON COLUMN payments.amount IS 'in euros';
    GRANT SELECT ON payments TO PUBLIC;
    CREATE PUBLICATION shop_all FOR TABLE ${keyed ? 'payments' : 'log'};
    CREATE STATISTICS payments_stats ON id, note FROM payments;
  `);
}

/** Enough for more than a few pages. */
const some = 1_000;

const rows = () => world.rows('SELECT * FROM payments ORDER BY id');

describe.each(cases)('$name on PostgreSQL $major', ({ spec, major, stands }) => {
  eachOn(major);

  test.each(stands.back)('that stands at %s is taken back by hand until the catalog is as it was', async (state) => {
    await prepare({ count: some });
    const [before, values] = [await catalogSnapshot(world.superuser), await rows()];
    const plan = await reach(world, state, spec);
    const sql = eject(plan, 'back', state);
    expect(await runScript(world.superuser, sql)).not.toContainEqual(expect.stringContaining('there is no claim'));
    expect(await catalogSnapshot(world.superuser)).toEqual(before);
    expect(await rows()).toEqual(values);
    expect(await runScript(world.superuser, sql)).toEqual([expect.stringContaining('there is no claim')]);
    expect(await catalogSnapshot(world.superuser)).toEqual(before);
  });

  /** What a deployment leaves: catalog and rows, made once. */
  let left: Promise<readonly [readonly string[], unknown[]]> | null = null;
  const whatIsLeft = async (): Promise<readonly [readonly string[], unknown[]]> => {
    await prepare({ count: some });
    await deploy(world, spec);
    const found = [await catalogSnapshot(world.superuser), await rows()] as const;
    await world.close();
    world = await SqlWorld.open({ major });
    return found;
  };

  test.each(stands.finish)('that stands at %s is finished by hand to what a deployment leaves', async (state) => {
    const [catalog, values] = await (left ??= whatIsLeft());
    await prepare({ count: some });
    const sql = eject(await reach(world, state, spec), 'finish', state);
    await byHand(world, sql);
    expect(await catalogSnapshot(world.superuser)).toEqual(catalog);
    expect(await rows()).toEqual(values);
    expect(await runScript(world.superuser, sql)).toEqual([expect.stringContaining('there is no claim')]);
    expect(await catalogSnapshot(world.superuser)).toEqual(catalog);
  });
});

describe('by hand', () => {
  eachOn(18);

  test('values that only the new shape holds are lost only on a word of the person', async () => {
    await prepare();
    const before = await catalogSnapshot(world.superuser);
    const plan = await reach(world, 'grace', centsSpec);
    await world.client.query('UPDATE payments SET amount_cents = 9000000000000000000 WHERE id = 7');
    const half = await catalogSnapshot(world.superuser);
    const sql = eject(plan, 'back', 'grace');
    await expect(runScript(world.superuser, sql)).rejects.toThrow(/would lose the new values of 1 rows/);
    expect(await catalogSnapshot(world.superuser)).toEqual(half);
    await world.superuser.query(`SET lakeshift.eject_may_lose = 'yes'`);
    await expect(runScript(world.superuser, sql)).resolves.toBeDefined();
    // a row without its old value forbids NOT NULL: the service leaves it lifted too
    const lifted = (line: string): boolean =>
      !/^(column|constraint|dependence): .*(payments\.amount |amount_not_null)/.test(line);
    expect((await catalogSnapshot(world.superuser)).filter(lifted)).toEqual(before.filter(lifted));
  });

  test('nothing is taken back once the old shape is gone, and the rest can be finished', async () => {
    await prepare();
    const plan = await reach(world, 'grace', centsSpec);
    await world.run('alter', { site: world.site(), stage: 'contract', alteration: stageOf(plan, 'contract').perform });
    await expect(runScript(world.superuser, eject(plan, 'back'))).rejects.toThrow(/there is no way back/);
    expect(await world.rows('SELECT amount_cents FROM payments LIMIT 1')).toHaveLength(1);
    await runScript(world.superuser, eject(plan, 'finish'));
    expect(await world.rows(`SELECT 1 FROM pg_namespace WHERE nspname = 'lakeshift'`)).toEqual([]);
  });

  test('nothing is dropped while one row differs, even by a client that goes on after an error', async () => {
    await prepare();
    const plan = await reach(world, 'grace', centsSpec);
    await world.client.query('ALTER TABLE payments DISABLE TRIGGER USER');
    await world.client.query('UPDATE payments SET amount_cents = 5 WHERE id = 8');
    await world.client.query(
      `ALTER TABLE payments ENABLE TRIGGER audit; ALTER TABLE payments ENABLE ALWAYS TRIGGER zzz_lakeshift_${plan.specHash.slice(0, 8)}`,
    );
    const folder = await mkdtemp(join(tmpdir(), 'lakeshift-eject-'));
    const sql = eject(plan, 'finish');
    await expect(runScript(world.superuser, sql)).rejects.toThrow(
      /1 of 3000 rows differ, nothing is dropped; first keys: \["8"\]/,
    );
    if (psql !== undefined) {
      const said = await runPsql(psql, world.database.superuserUrl, sql, join(folder, 'finish.sql'));
      expect(said).toMatch(/1 of 3000 rows differ[\s\S]*nothing is dropped[\s\S]*run this script again/);
    }
    expect(await world.rows('SELECT amount FROM payments WHERE id = 8')).toHaveLength(1);
    expect(await world.rows('SELECT deployment FROM lakeshift.claims')).toEqual([{ deployment }]);
    await rm(folder, { recursive: true });
  });

  test('psql runs the script as it stands, beside an application that holds a row', async () => {
    if (psql === undefined) return;
    await prepare();
    const plan = await reach(world, 'backfill', centsSpec);
    const folder = await mkdtemp(join(tmpdir(), 'lakeshift-eject-'));
    const application = await world.application();
    await application.query('BEGIN');
    await application.query('UPDATE payments SET note = note WHERE id = 2900');
    const running = runPsql(psql, world.database.superuserUrl, eject(plan, 'finish'), join(folder, 'finish.sql'));
    const waits = async (): Promise<boolean> =>
      (
        await world.rows(
          `SELECT 1 FROM pg_stat_activity WHERE application_name = 'psql' AND query LIKE '%chunk by chunk%' OR wait_event = 'PgSleep'`,
        )
      ).length > 0;
    while (!(await waits())) await new Promise((resolve) => setTimeout(resolve, 20));
    await application.query('COMMIT');
    expect(await running).toMatch(/3000 rows compared, 0 differ/);
    expect(await world.rows('SELECT id FROM payments WHERE amount_cents IS DISTINCT FROM id % 100000')).toEqual([]);
    expect(await world.rows(`SELECT 1 FROM pg_namespace WHERE nspname = 'lakeshift'`)).toEqual([]);
    await rm(folder, { recursive: true });
  });

  test('claims of other deployments and a schema that was made beforehand stay', async () => {
    await prepare();
    await world.superuser.query('CREATE SCHEMA lakeshift; GRANT ALL ON SCHEMA lakeshift TO PUBLIC');
    await world.client.query('CREATE TABLE others (id int)');
    const before = await catalogSnapshot(world.superuser);
    const other = await world.plan({ ...centsSpec, table: 'public.others', changes: [{ add: 'extra text' }] });
    const plan = await reach(world, 'grace', centsSpec);
    await world.run('claim', { site: world.site('other-00000002'), plan: other });
    await runScript(world.superuser, eject(plan, 'back'));
    expect(await world.rows('SELECT deployment FROM lakeshift.claims')).toEqual([{ deployment: 'other-00000002' }]);
    await world.run('release', { site: world.site('other-00000002') });
    expect(await catalogSnapshot(world.superuser)).toEqual(before);
  });

  test('a session of the service that is still at work ends, and writes nothing afterwards', async () => {
    await prepare();
    const plan = await reach(world, 'expand', centsSpec);
    const running = world.start('backfill', {
      site: world.site(),
      stage: { ...stageOf(plan, 'backfill'), rate: 100 },
      rows: null,
    });
    const failed = running.done.catch((error: unknown) => error);
    const busy = async (): Promise<boolean> =>
      (await world.rows('SELECT 1 FROM lakeshift.progress WHERE rows > 0')).length > 0;
    while (!(await busy())) await new Promise((resolve) => setTimeout(resolve, 20));
    const other = new pg.Client({ connectionString: world.database.superuserUrl });
    await other.connect();
    await runScript(other, eject(plan, 'back'));
    await other.end();
    expect(await failed).toBeInstanceOf(Error);
    expect(await world.rows(`SELECT 1 FROM pg_namespace WHERE nspname = 'lakeshift'`)).toEqual([]);
  });

  test('a table without a key is finished and taken back by hand', async () => {
    await prepare({ keyed: false });
    const before = await catalogSnapshot(world.superuser);
    await runScript(world.superuser, eject(await reach(world, 'backfill', centsSpec), 'back'));
    expect(await catalogSnapshot(world.superuser)).toEqual(before);
    await runScript(world.superuser, eject(await reach(world, 'backfill', centsSpec), 'finish'));
    expect(await world.rows('SELECT id FROM payments WHERE amount_cents IS DISTINCT FROM id % 100000')).toEqual([]);
  });

  test('our own role does both by itself, also where it may only take on that of the owner', async () => {
    await world.close();
    world = await SqlWorld.open({ inherit: false });
    await world.payments(500);
    const before = await catalogSnapshot(world.superuser);
    const ours = new pg.Client({ connectionString: world.database.url });
    await ours.connect();
    for (const state of states) {
      await runScript(ours, eject(await reach(world, state, centsSpec), 'back', state));
      expect([state, await catalogSnapshot(world.superuser)]).toEqual([state, before]);
    }
    await runScript(ours, eject(await reach(world, 'backfill', centsSpec), 'finish'));
    expect(await world.rows(`SELECT 1 FROM pg_namespace WHERE nspname = 'lakeshift'`)).toEqual([]);
    expect(await world.rows('SELECT id FROM payments WHERE amount_cents IS DISTINCT FROM id % 100000')).toEqual([]);
    await ours.end();
  });
});
