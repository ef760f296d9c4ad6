import type { TableSpec } from '../../../contracts/spec.ts';
import { centsSpec, SqlWorld, stageOf } from '../../support/sql-world.ts';

const spec = (up?: string): TableSpec => ({
  ...centsSpec,
  name: 'payments-note',
  changes: [{ notNull: 'note', ...(up === undefined ? {} : { up }) }],
});

describe('a column that may no longer be empty', () => {
  let world: SqlWorld;
  beforeEach(async () => {
    world = await SqlWorld.open();
    await world.payments(2_000);
    await world.client.query(`UPDATE payments SET note = NULL WHERE id % 10 = 0`);
  });
  afterEach(() => world.close());

  const isNotNull = async () =>
    (
      await world.rows<{ it: boolean }>(
        `SELECT attnotnull AS it FROM pg_attribute WHERE attrelid = 'payments'::regclass AND attname = 'note'`,
      )
    )[0]?.it;
  const checks = () =>
    world.rows(`SELECT conname FROM pg_constraint WHERE conrelid = 'payments'::regclass AND contype = 'c'`);
  const alter = async (stage: string, alteration: Parameters<typeof world.run<'alter'>>[1]['alteration']) =>
    world.run('alter', { site: world.site(), stage, alteration });
  const everyRow = async (check: NonNullable<ReturnType<typeof stageOf<'preflight'>>['everyRow']>, stage: string) => {
    const site = world.site();
    return world.run('checkRows', { site, stage, check, pass: String(site.turn), rows: null, sliceMs: 60_000 });
  };

  test('gets its values, is filled for old writers meanwhile, and at the cutover refuses what nobody filled', async () => {
    const plan = await world.expanded(spec(`'none'`));
    await world.client.query(`INSERT INTO payments (amount) VALUES (1)`);
    expect(await world.backfill(plan)).toMatchObject({ finished: true, rows: 200 });
    expect(await world.verify(plan)).toMatchObject({ seen: 2_001, wrong: 0 });
    const cutover = stageOf(plan, 'cutover');
    for (const times of [1, 2]) {
      await alter('cutover', cutover.perform);
      await world.run('alterLong', { site: world.site(), statements: cutover.performLong ?? [] });
      expect([times, await isNotNull(), await checks()]).toEqual([times, true, []]);
    }
    await world.client.query(`INSERT INTO payments (amount) VALUES (2)`);
    await alter('contract', stageOf(plan, 'contract').perform);
    await expect(world.client.query(`INSERT INTO payments (amount) VALUES (3)`)).rejects.toMatchObject({
      code: '23502',
    });
    expect(await world.rows(`SELECT count(*)::int AS filled FROM payments WHERE note = 'none'`)).toEqual([
      { filled: 202 },
    ]);
  });

  test.each(['before', 'after'])('taken back %s the long statements may be empty again', async (moment) => {
    const plan = await world.expanded(spec(`'none'`));
    await world.backfill(plan);
    const cutover = stageOf(plan, 'cutover');
    await alter('cutover', cutover.perform);
    if (moment === 'after') {
      await world.run('alterLong', { site: world.site(), statements: cutover.performLong ?? [] });
    }
    for (const alteration of cutover.undo) await alter('cutover', alteration);
    for (const alteration of stageOf(plan, 'expand').undo) await alter('expand', alteration);
    expect([await isNotNull(), await checks()]).toEqual([false, []]);
    await world.client.query(`INSERT INTO payments (amount) VALUES (1)`);
  });

  test('without a value for rows that have none is found by the preflight, with their keys', async () => {
    const plan = await world.plan(spec());
    await world.run('claim', { site: world.site(), plan });
    const { everyRow: check } = stageOf(plan, 'preflight');
    if (check === null) throw new Error('nothing is checked');
    const facts = await everyRow(check, 'preflight');
    expect(facts).toMatchObject({ seen: 2_000, wrong: 200 });
    expect(facts.keys).toContain('10');
  });

  test('whose value can not be computed for a row is found by the preflight too', async () => {
    const plan = await world.plan(spec(`(100 / (id - 20))::text`));
    await world.run('claim', { site: world.site(), plan });
    const { everyRow: check } = stageOf(plan, 'preflight');
    if (check === null) throw new Error('nothing is checked');
    expect(await everyRow(check, 'preflight')).toMatchObject({ seen: 2_000, wrong: 1, keys: ['20'] });
  });

  test('is not asked for where it holds already', async () => {
    const result = await world.tryPlan({ ...spec(), changes: [{ notNull: 'amount' }] });
    expect(result).toMatchObject({
      ok: false,
      problems: [{ pointer: '/changes/0/notNull', detail: 'column amount is NOT NULL already' }],
    });
  });
});

describe('a write that the old shape can not hold', () => {
  let world: SqlWorld;
  beforeAll(async () => {
    world = await SqlWorld.open();
    await world.payments(50);
    await world.expanded({
      ...centsSpec,
      changes: [
        {
          type: 'amount',
          to: 'amount_cents bigint',
          up: 'amount * 100',
          down: 'amount_cents / 100.0',
          misfits: 'refuse',
        },
      ],
    });
  });
  afterAll(() => world.close());

  test('is refused where the spec asks for it, without its value in the message', async () => {
    const write = world.client.query(`UPDATE payments SET amount_cents = 987654321987654321 WHERE id = 1`);
    await expect(write).rejects.toMatchObject({ code: '23514', column: 'amount_cents', table: 'payments' });
    await expect(write).rejects.not.toThrow('987654321987654321');
    expect(await world.rows('SELECT amount::text FROM payments WHERE id = 1')).toEqual([{ amount: '0.01' }]);
  });

  test('and what fits goes through', async () => {
    await world.client.query(`UPDATE payments SET amount_cents = 1234 WHERE id = 1`);
    expect(await world.rows('SELECT amount::text FROM payments WHERE id = 1')).toEqual([{ amount: '12.34' }]);
  });
});
