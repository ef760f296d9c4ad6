import { SqlWorld, stageOf } from '../../support/sql-world.ts';
import type { TablePlan } from '../../../contracts/plan.ts';

const rows = 60_000;

/** As if nobody else were in the database and nothing slowed it down, and in more ranges than a table of this size would get. */
const alone = (plan: TablePlan) => ({
  ...stageOf(plan, 'backfill'),
  presence: { id: 'presence', note: 'nobody', sql: 'SELECT 0::float8 AS busy' },
  signals: [],
  superPages: 64,
  shards: { atMost: 3, minPages: 100 },
});

describe('a backfill of several shards', () => {
  let world: SqlWorld;
  let plan: TablePlan;
  beforeEach(async () => {
    world = await SqlWorld.open();
    await world.payments(rows);
    plan = await world.expanded();
    await world.client.query('CREATE TABLE touched (id bigint, by int DEFAULT pg_backend_pid())');
    await world.client.query(
      `CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO touched (id) VALUES (NEW.id); RETURN NULL; END $$`,
    );
    await world.client.query('CREATE TRIGGER touch AFTER UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION touch()');
  });
  afterEach(() => world.close());

  const shards = () =>
    world.rows<{ rows: number; from: number; to: number }>(
      `SELECT rows::int, from_page::int AS from, end_page::int AS to FROM lakeshift.progress WHERE stage = 'backfill' ORDER BY shard`,
    );
  const workers = async () => (await world.rows('SELECT DISTINCT by FROM touched')).length;
  const once = async () =>
    expect(await world.rows('SELECT id FROM touched GROUP BY id HAVING count(*) > 1')).toEqual([]);

  test('works over several connections while nobody else is there, and touches each row once', async () => {
    const facts = await world.run('backfill', { site: world.site(), stage: alone(plan), rows });
    expect(facts).toMatchObject({ finished: true, rows });
    const ranges = await shards();
    expect(ranges).toHaveLength(3);
    expect(ranges[0]?.from).toBe(0);
    expect(ranges.slice(1).map(({ from }) => from)).toEqual(ranges.slice(0, -1).map(({ to }) => to));
    expect(ranges.every((range) => range.rows > 0)).toBe(true);
    expect(await workers()).toBeGreaterThan(1);
    await once();
    expect(await world.verify(plan)).toMatchObject({ seen: rows, wrong: 0 });
  });

  test.each([
    [
      'an application is there',
      { presence: { id: 'presence', note: 'one', sql: 'SELECT 1::float8 AS busy' }, sliceMs: 1_500 },
    ],
    [
      'nobody can see whether one is',
      { presence: { id: 'presence', note: 'unseen', sql: 'SELECT NULL::float8 AS busy' }, sliceMs: 1_500 },
    ],
    [
      'nobody can see how far standbys are behind',
      { signals: [{ id: 'lag', note: 'unseen', sql: 'SELECT 1' }], sliceMs: 1_500 },
    ],
    ['a rate is ordered', { rate: 20_000, sliceMs: 1_500 }],
  ])('works over one connection where %s', async (_, over) => {
    await world.run('backfill', { site: world.site(), stage: { ...alone(plan), ...over }, rows });
    expect(await workers()).toBe(1);
  });

  test('goes on in the middle of each of them, whoever dies and whatever was on its way', async () => {
    let kills = 0;
    for (;;) {
      const running = world
        .run('backfill', { site: world.site(), stage: { ...alone(plan), superPages: 8 }, rows })
        .catch((error: unknown) => error);
      if (kills < 6) {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 150));
        const kill = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'lakeshift %'`;
        while ((await world.superuser.query(kill)).rowCount === 0)
          await new Promise((resolve) => setTimeout(resolve, 5));
        kills += 1;
      }
      const facts = await running;
      if (!(facts instanceof Error)) {
        expect(facts).toMatchObject({ finished: true, rows });
        break;
      }
      expect(facts).toMatchObject({ type: 'TARGET_UNREACHABLE' });
    }
    await once();
    expect((await shards()).reduce((sum, shard) => sum + shard.rows, 0)).toBe(rows);
    expect(await world.verify(plan)).toMatchObject({ seen: rows, wrong: 0 });
  });

  test('stops in all of them when a newer attempt has taken over', async () => {
    const first = world
      .run('backfill', { site: world.site(), stage: alone(plan), rows })
      .catch((error: unknown) => error);
    while ((await workers()) < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    const second = world.run('backfill', { site: world.site(), stage: alone(plan), rows });
    expect(await first).toMatchObject({ type: 'FENCED' });
    expect(await second).toMatchObject({ finished: true, rows });
    await once();
  });
});
