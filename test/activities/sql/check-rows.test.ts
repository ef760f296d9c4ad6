import { judgePreflight } from '../../../decisions/judge-preflight.ts';
import { centsSpec, SqlWorld, stageOf } from '../../support/sql-world.ts';

describe('the check of every row', () => {
  let world: SqlWorld;
  beforeEach(async () => {
    world = await SqlWorld.open();
  });
  afterEach(() => world.close());

  const preflight = async (spec = centsSpec) => {
    const plan = await world.plan(spec);
    await world.run('claim', { site: world.site(), plan });
    const { everyRow, looks } = stageOf(plan, 'preflight');
    if (everyRow === null) throw new Error('no expression');
    const rows = await world.run('checkRows', {
      site: world.site(),
      stage: 'preflight',
      check: everyRow,
      pass: 'p',
      rows: null,
      sliceMs: 60_000,
    });
    return {
      rows,
      findings: judgePreflight(
        plan,
        await world.run('look', { target: 'shop', statements: looks, mode: 'read-only' }),
        rows,
      ),
    };
  };
  const toNumber = {
    ...centsSpec,
    changes: [{ type: 'note', to: 'number int', up: 'note::int', down: 'number::text' }],
  };

  test('finds three rows of many that can not be converted, by their keys and without their values', async () => {
    await world.payments(50_000);
    await world.client.query(
      `UPDATE payments SET note = id::text; UPDATE payments SET note = 'secret' || id WHERE id IN (7, 20000, 49999)`,
    );
    const { rows, findings } = await preflight(toNumber);
    expect(rows).toMatchObject({ finished: true, seen: 50_000, wrong: 3 });
    expect([...rows.keys].sort()).toEqual(['20000', '49999', '7']);
    expect(findings).toContainEqual(expect.objectContaining({ code: 'CONVERSION_FAILS', level: 'refused', count: 3 }));
    expect(JSON.stringify({ rows, findings })).not.toContain('secret');
    expect(
      await world.rows(`SELECT 1 FROM pg_attribute WHERE attrelid = 'payments'::regclass AND attname = 'number'`),
    ).toEqual([]);
  });

  test('counts rows that do not come back from down(up(…)) without refusing them', async () => {
    await world.payments(10);
    await world.client.query(`UPDATE payments SET note = lpad(id::text, 3, '0')`);
    const { findings } = await preflight(toNumber);
    expect(findings).toContainEqual(expect.objectContaining({ code: 'ROUND_TRIP_LOSSY', level: 'warned', count: 10 }));
    expect(findings.filter(({ level }) => level === 'refused')).toEqual([]);
  });

  test('finds a single row that differs after the backfill', async () => {
    await world.payments(120_000);
    const plan = await world.expanded();
    await world.backfill(plan);
    await world.client.query(
      `SET lakeshift.actor = '${plan.specHash.slice(0, 8)}'; UPDATE payments SET amount_cents = 1 WHERE id = 61234; RESET lakeshift.actor`,
    );
    expect(await world.verify(plan)).toMatchObject({ seen: 120_000, wrong: 1, keys: ['61234'] });
  });

  test('takes a row as right that only down() explains', async () => {
    await world.client.query(`CREATE TABLE payments (id int PRIMARY KEY, amount int)`);
    await world.client.query('INSERT INTO payments SELECT g, g FROM generate_series(1, 100) g');
    const plan = await world.expanded({
      ...centsSpec,
      changes: [{ type: 'amount', to: 'fine bigint', up: 'amount * 10', down: 'fine / 10' }],
    });
    await world.backfill(plan);
    await world.client.query('UPDATE payments SET fine = 57 WHERE id = 5');
    expect(await world.rows('SELECT amount, fine FROM payments WHERE id = 5')).toEqual([{ amount: 5, fine: '57' }]);
    expect(await world.verify(plan)).toMatchObject({ wrong: 0, lossy: 1 });
    await world.backfill(plan);
    expect(await world.rows('SELECT fine FROM payments WHERE id = 5')).toEqual([{ fine: '57' }]);
  });

  test.each([
    ['a text key', 'code text PRIMARY KEY', `'k' || g`],
    ['a composite key', 'a int, b uuid DEFAULT gen_random_uuid(), PRIMARY KEY (a, b)', 'g % 10'],
    ['no key at all', 'plain int', 'g'],
  ])('and the backfill go over a table with %s', async (_, columns, first) => {
    await world.client.query(`CREATE TABLE payments (${columns}, amount numeric(12,2))`);
    await world.client.query(
      `INSERT INTO payments (${columns.split(' ')[0] ?? ''}, amount) SELECT ${first}, g FROM generate_series(1, 3000) g; ANALYZE payments`,
    );
    const plan = await world.expanded();
    expect(await world.backfill(plan)).toMatchObject({ finished: true, rows: 3_000 });
    expect(await world.verify(plan)).toMatchObject({ finished: true, seen: 3_000, wrong: 0 });
  });

  test('goes on in the next slice where it was', async () => {
    await world.payments(200_000);
    const plan = await world.expanded();
    await world.backfill(plan);
    const { check } = stageOf(plan, 'verify');
    if (check === null) throw new Error('nothing to compare');
    let slices = 0;
    let facts;
    do {
      facts = await world.run('checkRows', {
        site: world.site(),
        stage: 'verify',
        check,
        pass: 'one',
        rows: null,
        sliceMs: 1,
      });
      slices += 1;
    } while (!facts.finished);
    expect(slices).toBeGreaterThan(2);
    expect(facts).toMatchObject({ seen: 200_000, wrong: 0 });
  });
});
