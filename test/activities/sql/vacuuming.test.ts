import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BackfillStage, TablePlan, VacuumRule } from '../../../contracts/plan.ts';
import { startPostgres } from '../../../tools/postgres/server.ts';
import { SqlWorld, stageOf } from '../../support/sql-world.ts';

const rows = 120_000;

/** A server of its own, on which nothing but the backfill clears an index. */
describe('a backfill that clears the indexes on its way', () => {
  let folder: string;
  let server: Awaited<ReturnType<typeof startPostgres>>;
  let world: SqlWorld;
  let plan: TablePlan;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lakeshift-vacuuming-'));
    server = await startPostgres({ dataDir: join(folder, 'data'), settings: { fsync: 'off', autovacuum: 'off' } });
  });
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    world = await SqlWorld.open({ server: server.url });
    await world.payments(rows);
    await world.client.query('CREATE INDEX at_random ON payments (hashint8(id))');
    plan = await world.expanded();
  });
  afterEach(() => world.close());

  const size = async () =>
    (await world.rows<{ size: number }>(`SELECT pg_relation_size('at_random')::float8 AS size`))[0]?.size ?? 0;
  const vacuums = async () => {
    await world.superuser.query('SELECT pg_stat_force_next_flush()');
    const [row] = await world.rows<{ count: number }>(
      `SELECT vacuum_count::int AS count FROM pg_stat_user_tables WHERE relname = 'payments'`,
    );
    return row?.count ?? 0;
  };
  /** As if nobody else were there: in large chunks, of a table that is longer than it is. */
  const alone = (vacuum: VacuumRule | undefined): BackfillStage => {
    const { vacuum: planned, ...stage } = stageOf(plan, 'backfill');
    expect(planned).toBeDefined();
    const presence = { id: 'presence', note: 'nobody', sql: 'SELECT 0::float8 AS busy' };
    return {
      ...stage,
      presence,
      signals: [],
      protect: null,
      superPages: 64,
      ...(vacuum === undefined ? {} : { vacuum }),
    };
  };
  const run = (stage: BackfillStage) => world.run('backfill', { site: world.site(), stage, rows });
  const rule = (): VacuumRule => {
    const { vacuum } = stageOf(plan, 'backfill');
    if (vacuum === undefined) throw new Error('no vacuum in the plan');
    return vacuum;
  };

  test('lets an index in random order grow, as long as it does not', async () => {
    const [before, vacuumsBefore] = [await size(), await vacuums()];
    expect(await run(alone(undefined))).toMatchObject({ finished: true, rows });
    expect((await size()) / before).toBeGreaterThan(1.05);
    expect(await vacuums()).toBe(vacuumsBefore);
  });

  test('keeps it as large as it was', async () => {
    const [before, vacuumsBefore] = [await size(), await vacuums()];
    expect(await run(alone(rule()))).toMatchObject({ finished: true, rows, notes: [] });
    expect((await size()) / before).toBeLessThan(1.01);
    expect(await vacuums()).toBeGreaterThan(vacuumsBefore + 1);
    expect(await world.verify(plan)).toMatchObject({ seen: rows, wrong: 0 });
  });

  test('goes on without, where it may not or can not', async () => {
    expect(await run(alone({ ...rule(), run: { ...rule().run, sql: 'VACUUM no_such_table' } }))).toMatchObject({
      finished: true,
      rows,
    });
  });

  test('ends one that runs when it is paused, and when a newer attempt comes', async () => {
    const endless: VacuumRule = {
      ...rule(),
      settings: [...rule().settings, { id: 'limit', note: 'a test', sql: 'SET vacuum_cost_limit = 1' }],
      gently: { id: 'delay', note: 'a test', sql: `SET vacuum_cost_delay = '100ms'` },
    };
    const busy = { id: 'presence', note: 'somebody', sql: 'SELECT 1::float8 AS busy' };
    const begun = async () => {
      while ((await world.rows('SELECT 1 FROM pg_stat_progress_vacuum')).length === 0)
        await new Promise((resolve) => setTimeout(resolve, 20));
    };
    const stage = { ...alone(endless), presence: busy, sliceMs: 600_000 };
    const paused = run(stage);
    await begun();
    await world.run('steer', { site: world.site(), paused: true, rate: null });
    expect(await paused).toMatchObject({ paused: true, notes: [] });
    expect(await world.rows('SELECT 1 FROM pg_stat_progress_vacuum')).toEqual([]);
    await world.run('steer', { site: world.site(), paused: false, rate: null });
    const first = run(stage).catch((error: unknown) => error);
    await begun();
    expect(await run(alone(rule()))).toMatchObject({ finished: true, rows });
    expect(await first).toMatchObject({ type: 'FENCED' });
    expect(await world.verify(plan)).toMatchObject({ seen: rows, wrong: 0 });
  }, 60_000);
});
