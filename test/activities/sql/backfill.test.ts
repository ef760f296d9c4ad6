import { SqlWorld, stageOf } from '../../support/sql-world.ts';

describe('a backfill', () => {
  let world: SqlWorld;
  beforeEach(async () => {
    world = await SqlWorld.open();
  });
  afterEach(() => world.close());

  const progress = async () =>
    (
      await world.rows<{ seq: string; rows: string; page: string }>(
        `SELECT seq, rows, page FROM lakeshift.progress WHERE stage = 'backfill'`,
      )
    )[0];

  test('converts every row, most of them without touching an index', async () => {
    await world.payments(60_000);
    const plan = await world.expanded();
    const facts = await world.backfill(plan);
    expect(facts).toMatchObject({ finished: true, rows: 60_000, paused: false, deferred: 0 });
    expect(await world.verify(plan)).toMatchObject({ finished: true, seen: 60_000, wrong: 0, lossy: 0 });
    await world.client.query('SELECT pg_stat_force_next_flush()');
    const stat = async () =>
      (
        await world.rows<{ hot: number; upd: number }>(
          `SELECT n_tup_hot_upd::int AS hot, n_tup_upd::int AS upd FROM pg_stat_user_tables WHERE relname = 'payments'`,
        )
      )[0];
    let seen = await stat();
    for (let tries = 0; tries < 50 && (seen?.upd ?? 0) < 60_000; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      seen = await stat();
    }
    expect(seen?.upd).toBe(60_000);
    expect(seen?.hot).toBeGreaterThan(30_000);
  });

  test('hands back at the end of its slice and goes on where it was', async () => {
    await world.payments(3_000);
    const plan = await world.expanded();
    const stage = { ...stageOf(plan, 'backfill'), sliceMs: 60 };
    let slices = 0;
    let facts;
    do {
      facts = await world.run('backfill', { site: world.site(), stage, rows: 3_000 });
      slices += 1;
    } while (!facts.finished);
    expect(slices).toBeGreaterThan(1);
    expect(facts.rows).toBe(3_000);
    expect(await world.verify(plan)).toMatchObject({ wrong: 0 });
  });

  test('stops within a second when it is paused, and changes no row until it is resumed', async () => {
    await world.payments(20_000);
    const plan = await world.expanded();
    const site = world.site();
    const stage = { ...stageOf(plan, 'backfill'), rate: 2_000 };
    const running = world.run('backfill', { site, stage, rows: 20_000 });
    while (Number((await progress())?.rows ?? 0) === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    const ordered = Date.now();
    await world.run('steer', { site, paused: true, rate: null });
    const facts = await running;
    expect(Date.now() - ordered).toBeLessThan(1_000);
    expect(facts).toMatchObject({ paused: true, finished: false });
    const again = await world.run('backfill', { site: world.site(), stage, rows: 20_000 });
    expect(again).toMatchObject({ paused: true, rows: facts.rows });
    await world.run('steer', { site: world.site(), paused: false, rate: 1_000_000 });
    expect(await world.run('backfill', { site: world.site(), stage, rows: 20_000 })).toMatchObject({
      finished: true,
      rows: 20_000,
    });
  });

  test('keeps to the rate that was ordered while it runs', async () => {
    await world.payments(20_000);
    const plan = await world.expanded();
    const site = world.site();
    await world.run('steer', { site, paused: false, rate: 2_000 });
    // for its first two seconds it takes the session of this test for an application
    const stage = { ...stageOf(plan, 'backfill'), sliceMs: 6_000 };
    const facts = await world.run('backfill', { site: world.site(), stage, rows: 20_000 });
    expect(facts.rows).toBeGreaterThan(500);
    expect(facts.rows).toBeLessThan(15_000);
    expect(world.told.map(({ pace }) => pace)).toContain('bounded to 2000 rows/s');
  });

  test('is bound by the rate of its plan until that is lifted, and then by none', async () => {
    await world.payments(20_000);
    const plan = await world.expanded();
    const site = world.site();
    const stage = { ...stageOf(plan, 'backfill'), rate: 100, sliceMs: 600_000 };
    const running = world.run('backfill', { site, stage, rows: 20_000 });
    while (world.told.at(-1)?.pace !== 'bounded to 100 rows/s') await new Promise((resolve) => setTimeout(resolve, 20));
    await world.run('steer', { site, paused: false, rate: null });
    // a slice that stayed bound would take minutes
    expect(await running).toMatchObject({ finished: true, rows: 20_000 });
  });

  test('gives up at once when a newer attempt has taken over, and writes nothing more', async () => {
    await world.payments(20_000);
    const plan = await world.expanded();
    const stage = { ...stageOf(plan, 'backfill'), rate: 2_000 };
    const first = world.run('backfill', { site: world.site(), stage, rows: 20_000 }).catch((error: unknown) => error);
    while (Number((await progress())?.rows ?? 0) === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    const second = world.run('backfill', { site: world.site(), stage: stageOf(plan, 'backfill'), rows: 20_000 });
    expect(await first).toMatchObject({ type: 'FENCED' });
    expect(await second).toMatchObject({ finished: true, rows: 20_000 });
  });

  test('of an older turn than the undo is refused from its first statement', async () => {
    await world.payments(1_000);
    const plan = await world.expanded();
    await world.run('raiseFence', { site: world.site(undefined, 50) });
    await expect(
      world.run('backfill', { site: world.site(undefined, 49), stage: stageOf(plan, 'backfill'), rows: 1_000 }),
    ).rejects.toMatchObject({ type: 'FENCED' });
    expect(await world.rows('SELECT 1 FROM payments WHERE amount_cents IS NOT NULL')).toEqual([]);
  });

  test('goes around rows that the application holds, and comes back for them', async () => {
    await world.payments(5_000);
    const plan = await world.expanded();
    const application = await world.application();
    await application.query('BEGIN');
    await application.query('SELECT 1 FROM payments WHERE id IN (10, 2500) FOR UPDATE');
    const running = world.run('backfill', { site: world.site(), stage: stageOf(plan, 'backfill'), rows: 5_000 });
    const left = async () =>
      Number((await world.rows<{ n: string }>('SELECT count(*) AS n FROM payments WHERE amount_cents IS NULL'))[0]?.n);
    while ((await left()) > 300) await new Promise((resolve) => setTimeout(resolve, 50));
    await application.query('UPDATE payments SET amount = 1.23 WHERE id = 10');
    await application.query('COMMIT');
    expect(await running).toMatchObject({ finished: true, deferred: 0 });
    expect(await world.verify(plan)).toMatchObject({ seen: 5_000, wrong: 0 });
  });

  test('begins anew when the table has been rewritten meanwhile', async () => {
    await world.payments(20_000);
    const plan = await world.expanded();
    const stage = { ...stageOf(plan, 'backfill'), sliceMs: 30 };
    await world.run('backfill', { site: world.site(), stage, rows: 20_000 });
    await world.client.query('VACUUM FULL payments');
    expect(await world.backfill(plan)).toMatchObject({ finished: true });
    expect(await world.verify(plan)).toMatchObject({ seen: 20_000, wrong: 0 });
  });

  test.each([
    ['dropped', 'DROP TRIGGER %t ON payments'],
    ['disabled', 'ALTER TABLE payments DISABLE TRIGGER %t'],
  ])('trusts nothing once its trigger is %s', async (_, sql) => {
    await world.payments(1_000);
    const plan = await world.expanded();
    await world.client.query(sql.replace('%t', `zzz_lakeshift_${plan.specHash.slice(0, 8)}`));
    await expect(world.backfill(plan)).rejects.toMatchObject({ type: 'TARGET_DRIFTED' });
  });

  test('survives ten killed connections at random moments with every chunk effective once', async () => {
    await world.payments(40_000);
    const plan = await world.expanded();
    await world.client.query('CREATE TABLE touched (id bigint, at timestamptz DEFAULT clock_timestamp())');
    await world.client.query(
      `CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO touched (id) VALUES (NEW.id); RETURN NULL; END $$`,
    );
    await world.client.query('CREATE TRIGGER touch AFTER UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION touch()');
    const stage = { ...stageOf(plan, 'backfill'), rate: 15_000 };
    let kills = 0;
    for (;;) {
      const running = world
        .run('backfill', { site: world.site(), stage, rows: 40_000 })
        .catch((error: unknown) => error);
      if (kills < 10) {
        await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 60));
        const kill = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'lakeshift %'`;
        // on a busy machine it may not even be connected yet
        while ((await world.superuser.query(kill)).rowCount === 0)
          await new Promise((resolve) => setTimeout(resolve, 5));
        kills += 1;
      }
      const facts = await running;
      if (facts instanceof Error) {
        expect(facts).toMatchObject({ type: 'TARGET_UNREACHABLE' });
        continue;
      }
      if (facts !== null && typeof facts === 'object' && 'finished' in facts && facts.finished === true) break;
    }
    expect(kills).toBe(10);
    expect(await world.rows('SELECT id FROM touched GROUP BY id HAVING count(*) > 1')).toEqual([]);
    expect((await progress())?.rows).toBe('40000');
    expect(await world.verify(plan)).toMatchObject({ seen: 40_000, wrong: 0 });
  });
});
