import { catalogSnapshot } from '../support/catalog-snapshot.ts';
import { deploy, eject, reach, states } from '../support/half-done.ts';
import { runScript } from '../support/run-sql.ts';
import { centsSpec, SqlWorld } from '../support/sql-world.ts';

/** Payments of one year in parts, one of them in parts of its own. */
const tables = [
  'CREATE TABLE payments (id bigint, day date, amount numeric(12,2) NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)',
  `CREATE TABLE first_half PARTITION OF payments FOR VALUES FROM ('2026-01-01') TO ('2026-07-01')`,
  `CREATE TABLE "Second half" PARTITION OF payments FOR VALUES FROM ('2026-07-01') TO ('2027-01-01') PARTITION BY RANGE (day)`,
  `CREATE TABLE autumn PARTITION OF "Second half" FOR VALUES FROM ('2026-09-01') TO ('2026-12-01')`,
  `CREATE TABLE "its rest" PARTITION OF "Second half" DEFAULT`,
  `INSERT INTO payments SELECT g, date '2026-01-01' + g % 365, g / 100.0 FROM generate_series(1, 5000) g`,
  'VACUUM ANALYZE payments',
];

describe.each([14, 18] as const)('a partitioned table on PostgreSQL %s', (major) => {
  let world: SqlWorld;
  beforeEach(async () => {
    world = await SqlWorld.open({ major });
    for (const sql of tables) await world.client.query(sql);
  }, 120_000);
  afterEach(() => world.close());

  const rows = () => world.rows('SELECT tableoid::regclass::text AS part, * FROM payments ORDER BY id');

  test('is taken back and finished by hand, wherever its deployment stands', async () => {
    const [before, old] = [await catalogSnapshot(world.superuser), await rows()];
    const ends: unknown[] = [];
    for (const state of states) {
      await runScript(world.superuser, eject(await reach(world, state, centsSpec), 'back', state));
      expect([state, await catalogSnapshot(world.superuser), await rows()]).toEqual([state, before, old]);
    }
    for (const state of [...states, 'deployed'] as const) {
      if (state === 'deployed') await deploy(world, centsSpec);
      else {
        const sql = eject(await reach(world, state, centsSpec), 'finish', state);
        await runScript(world.superuser, sql);
        expect(await runScript(world.superuser, sql)).toEqual([expect.stringContaining('there is no claim')]);
      }
      ends.push({ catalog: await catalogSnapshot(world.superuser), rows: await rows() });
      await world.client.query('DROP TABLE payments');
      for (const sql of tables) await world.client.query(sql);
    }
    for (const end of ends) expect(end).toEqual(ends.at(-1));
  });

  test('with a partition that was attached since is finished with its rows', async () => {
    const plan = await reach(world, 'backfill', centsSpec);
    await world.client.query(`CREATE TABLE later (LIKE payments INCLUDING ALL);
      INSERT INTO later (id, day, amount) SELECT g, '2027-02-02', 1.25 FROM generate_series(5001, 5100) g;
      ALTER TABLE payments ATTACH PARTITION later FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')`);
    await runScript(world.superuser, eject(plan, 'finish'));
    expect(
      await world.rows(
        'SELECT id FROM payments WHERE amount_cents IS DISTINCT FROM CASE WHEN id > 5000 THEN 125 ELSE id END',
      ),
    ).toEqual([]);
  });
});
