import type { TableSpec } from '../../contracts/spec.ts';
import { openWire, type Fate } from '../support/scripted-wire.ts';
import { centsSpec, SqlWorld, stageOf } from '../support/sql-world.ts';
import { Ground } from './ground.ts';

/** What random sequences have found, each as the smallest story that shows it. */
describe('a sequence once found that', () => {
  let world: SqlWorld;
  beforeEach(async () => {
    world = await SqlWorld.open();
    await world.payments(20);
  });
  afterEach(() => world.close());

  const misfits = async (plan: Awaited<ReturnType<SqlWorld['plan']>>): Promise<unknown> => {
    const { wayBack } = stageOf(plan, 'cutover');
    const seen = await world.run('look', { target: 'shop', statements: [wayBack], mode: 'read-only' });
    return seen[wayBack.id];
  };
  const counted = (rows: number) => ({ ok: true, rows: [{ misfits: rows }] });
  const triggerOf = (specHash: string): string => `zzz_lakeshift_${specHash.slice(0, 8)}`;

  test('the preflight did not compute what it checks: rows for which `up` fails are found before the start', async () => {
    const plan = await world.plan({ ...centsSpec, changes: [{ add: 'share bigint', up: '100 / (id - 7)' }] });
    const site = world.site();
    await world.run('claim', { site, plan });
    const { everyRow } = stageOf(plan, 'preflight');
    if (everyRow === null) throw new Error('nothing is checked');
    const check = { site, stage: 'preflight', check: everyRow, pass: '1', rows: null, sliceMs: 60_000 };
    expect(await world.run('checkRows', check)).toMatchObject({ seen: 20, wrong: 1, keys: ['7'] });
  });

  test('a row with another key was no misfit any more: it is counted under its new key', async () => {
    const plan = await world.expanded();
    await world.client.query('UPDATE payments SET amount_cents = 99999999999999 WHERE id = 3');
    await world.client.query('UPDATE payments SET id = 3000 WHERE id = 3');
    expect(await misfits(plan)).toEqual(counted(1));
    await world.client.query('DELETE FROM payments WHERE id = 3000');
    expect(await misfits(plan)).toEqual(counted(0));
  });

  test.each(['count', 'refuse'] as const)(
    'a write of both shapes could lose unseen: with `%s` it does not',
    async (policy) => {
      await world.client.query('ALTER TABLE payments ALTER COLUMN amount TYPE integer USING 1');
      const spec: TableSpec = {
        ...centsSpec,
        changes: [{ type: 'amount', to: 'exact numeric(12,2)', up: 'amount', down: 'round(exact)', misfits: policy }],
      };
      const plan = await world.expanded(spec);
      const write = world.client.query('INSERT INTO payments (id, amount, exact) VALUES (100, 3, 2.50)');
      if (policy === 'refuse') await expect(write).rejects.toMatchObject({ code: '23514' });
      else await write;
      expect(await misfits(plan)).toEqual(counted(policy === 'refuse' ? 0 : 1));
    },
  );

  test('a contract failed half-way at a row that was empty in both shapes: the verification finds it', async () => {
    const plan = await world.expanded();
    const trigger = triggerOf(plan.specHash);
    await world.client.query(`ALTER TABLE payments DISABLE TRIGGER ${trigger}`);
    await world.client.query('INSERT INTO payments (id, amount, amount_cents) VALUES (100, NULL, NULL)');
    await world.client.query(`ALTER TABLE payments ENABLE ALWAYS TRIGGER ${trigger}`);
    await world.backfill(plan);
    expect(await world.verify(plan)).toMatchObject({ seen: 21, wrong: 1, lossy: 0, keys: ['100'] });
  });

  test('a cutover did not look for the trigger: without it nothing is cut over', async () => {
    const plan = await world.expanded();
    await world.backfill(plan);
    const trigger = triggerOf(plan.specHash);
    const cutover = () =>
      world.run('alter', { site: world.site(), stage: 'cutover', alteration: stageOf(plan, 'cutover').perform });
    await world.client.query(`ALTER TABLE payments DISABLE TRIGGER ${trigger}`);
    await expect(cutover()).rejects.toMatchObject({ type: 'TARGET_DRIFTED' });
    expect(await world.rows(`SELECT altered FROM lakeshift.claims`)).toEqual([{ altered: ['expand'] }]);
    await world.client.query(`ALTER TABLE payments ENABLE ALWAYS TRIGGER ${trigger}`);
    expect(await cutover()).toMatchObject({ changed: true });
  });

  test('a contract did not look for the new column: without it the old one stays', async () => {
    const plan = await world.expanded();
    await world.backfill(plan);
    const alter = (stage: 'cutover' | 'contract') =>
      world.run('alter', { site: world.site(), stage, alteration: stageOf(plan, stage).perform });
    await alter('cutover');
    await world.client.query('ALTER TABLE payments DROP COLUMN amount_cents');
    await expect(alter('contract')).rejects.toMatchObject({ type: 'TARGET_DRIFTED' });
    expect(await world.rows('SELECT count(amount)::int AS amounts FROM payments')).toEqual([{ amounts: 20 }]);
  });

  test('a row of which the trigger knows nothing kept everything from being taken back: its column stays nullable', async () => {
    const plan = await world.expanded();
    await world.client.query(`DROP TRIGGER ${triggerOf(plan.specHash)} ON payments`);
    await world.client.query('INSERT INTO payments (id, amount_cents) VALUES (100, 5)');
    const { undo, undoLong } = stageOf(plan, 'expand');
    for (const alteration of undo) await world.run('alter', { site: world.site(), stage: 'expand', alteration });
    await world.run('alterLong', { site: world.site(), statements: undoLong });
    await world.client.query(`UPDATE payments SET note = 'written' WHERE id = 100`);
    expect(
      await world.rows(
        `SELECT attnotnull, (SELECT count(*)::int FROM pg_constraint WHERE conname LIKE 'lakeshift%') AS checks FROM pg_attribute WHERE attrelid = 'payments'::regclass AND attname = 'amount'`,
      ),
    ).toEqual([{ attnotnull: false, checks: 0 }]);
  });

  test.each(['backfill', 'checkRows'] as const)(
    'a raised fence was overtaken by an attempt half-way through its door: %s stops there',
    async (activity) => {
      const plan = await world.expanded();
      const site = world.site();
      const wire = await openWire(world.database.url, async ({ sql }): Promise<Fate> => {
        if (/(?:UPDATE|INSERT INTO) "lakeshift"\.progress/.test(sql))
          await world.run('raiseFence', { site: world.site() });
        return 'pass';
      });
      const stage = stageOf(plan, 'backfill');
      const { check } = stageOf(plan, 'verify');
      const input =
        activity === 'backfill'
          ? { site, stage, rows: null }
          : { site, stage: 'verify', check, pass: '1', rows: null, sliceMs: 60_000 };
      expect(await Ground.deliver(activity, input, wire.url)).toEqual({ ok: false, failure: 'FENCED' });
      await wire.close();
      expect(await world.rows('SELECT 1 FROM payments WHERE amount_cents IS NOT NULL')).toEqual([]);
    },
  );
});
