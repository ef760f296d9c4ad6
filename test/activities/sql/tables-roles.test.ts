import { majors } from '../../support/servers.ts';
import { centsSpec, SqlWorld, stageOf } from '../../support/sql-world.ts';
import { TableLife, type TableStory } from '../../support/table-life.ts';

/** A table of a schema that only its owner may use. */
const payments: TableStory = {
  table: '"Own Schema".payments',
  prepare: [
    'CREATE SCHEMA "Own Schema"',
    'CREATE TABLE "Own Schema".payments (id int PRIMARY KEY, amount numeric(12,2) NOT NULL)',
    'INSERT INTO "Own Schema".payments SELECT g, g / 100.0 FROM generate_series(1, 500) g',
    'ALTER TABLE "Own Schema".payments ENABLE ROW LEVEL SECURITY',
    'CREATE POLICY p ON "Own Schema".payments USING (true)',
  ],
  changes: [{ type: 'amount', to: 'cents bigint', up: 'round(amount * 100)', down: 'cents / 100.0' }],
  expected: { cents: '(amount * 100)::bigint' },
  writes: (n) => [
    { sql: `UPDATE {t} SET amount = ${n} WHERE id = ${(n * 7) % 500}` },
    { sql: `INSERT INTO {t} VALUES (${n + 1_000}, ${n})` },
  ],
  newWrites: (n) => [
    {
      sql: `UPDATE {t} SET cents = ${n} WHERE id = ${(n * 7) % 500}`,
      twin: `UPDATE {t} SET amount = ${n} / 100.0 WHERE id = ${(n * 7) % 500}`,
    },
  ],
};

describe.each(majors)('on PostgreSQL %s, a role that may only SET ROLE to the owner', (major) => {
  let world: SqlWorld;
  let life: TableLife | null = null;
  beforeEach(async () => {
    world = await SqlWorld.open({ major, inherit: false });
  }, 120_000);
  afterEach(async () => {
    await life?.end();
    await world.close();
  });

  test('takes a table through a change and back, and what it makes belongs to the owner', async () => {
    const { pathname, username } = new URL(world.database.url);
    const owner = `${pathname.slice(1)}_owner`;
    // made beforehand, as where our role may not make schemas
    await world.superuser.query(`CREATE SCHEMA lakeshift AUTHORIZATION ${username}`);
    await world.superuser.query(`REVOKE CREATE ON DATABASE ${pathname.slice(1)} FROM ${username}, ${owner}`);
    await world.superuser.query(`GRANT CREATE ON DATABASE ${pathname.slice(1)} TO ${owner}`);
    const app = new URL(world.database.applicationUrl).username;
    await world.superuser.query(`ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} GRANT USAGE ON SCHEMAS TO ${app}`);
    life = await TableLife.begin(world, payments);
    expect(life.plan.facts.rights).toMatchObject({ superuser: false, ownsTable: true, actsAs: owner });
    const before = await life.catalog();
    await life.forward('cutover');
    expect(
      await world.rows(`SELECT proowner::regrole::text AS owner, prosecdef FROM pg_proc WHERE proname LIKE 'sync_%'`),
    ).toEqual([{ owner, prosecdef: true }]);
    await life.back();
    await life.compareWithTwin('old');
    expect(await life.catalog()).toEqual(before);
    life = await TableLife.again(world, payments);
    await life.forward();
    await life.contract();
    expect(
      await world.rows(`SELECT nspacl FROM pg_namespace WHERE nspname = 'lakeshift' AND nspacl::text LIKE '%owner%'`),
    ).toEqual([]);
  });
});

test('what an application writes that does not fit is counted, though neither it nor the owner may look at our tables', async () => {
  const world = await SqlWorld.open({ inherit: false });
  try {
    await world.payments(10);
    const plan = await world.expanded();
    const application = await world.application();
    await application.query('UPDATE payments SET amount_cents = 99999999999999 WHERE id = 3');
    const { wayBack } = stageOf(plan, 'cutover');
    const seen = await world.run('look', { target: 'shop', statements: [wayBack], mode: 'read-only' });
    expect(seen['wayBack']).toEqual({ ok: true, rows: [{ misfits: 1 }] });
    await expect(application.query('SELECT FROM lakeshift.misfits')).rejects.toMatchObject({ code: '42501' });
  } finally {
    await world.close();
  }
});

test('a role that is no member of the owner is refused', async () => {
  const world = await SqlWorld.open();
  try {
    await world.payments(10);
    const { pathname, username } = new URL(world.database.url);
    await world.superuser.query(`REVOKE ${pathname.slice(1)}_owner FROM ${username}`);
    const result = await world.tryPlan(centsSpec);
    expect(result.ok ? [] : result.problems.map(({ detail }) => detail)).toEqual([
      expect.stringContaining('is not a member of the owner of public.payments'),
    ]);
  } finally {
    await world.close();
  }
});
