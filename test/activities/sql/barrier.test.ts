import { SqlWorld, stageOf } from '../../support/sql-world.ts';
import type { Plan } from '../../../contracts/plan.ts';

const triggerOf = (plan: Plan): string => `zzz_lakeshift_${plan.specHash.slice(0, 8)}`;
const functionOf = (plan: Plan): string => `lakeshift.sync_${plan.specHash.slice(0, 8)}`;

describe('a backfill whose table is touched by others', () => {
  let world: SqlWorld;
  beforeEach(async () => {
    world = await SqlWorld.open();
  });
  afterEach(() => world.close());

  test.each<[string, (plan: Plan) => string, RegExp]>([
    [
      'the trigger is dropped',
      (plan) => `DROP TRIGGER ${triggerOf(plan)} ON payments`,
      /trigger \S+ on public.payments is gone/,
    ],
    [
      'the trigger is disabled',
      (plan) => `ALTER TABLE payments DISABLE TRIGGER ${triggerOf(plan)}`,
      /expected to fire always, is disabled/,
    ],
    [
      'the trigger fires for local writes only',
      (plan) => `ALTER TABLE payments ENABLE TRIGGER ${triggerOf(plan)}`,
      /expected to fire always, fires for local writes only/,
    ],
    [
      'the trigger is replaced by one that calls another function',
      (plan) => `CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE OR REPLACE TRIGGER ${triggerOf(plan)} BEFORE INSERT OR UPDATE ON payments FOR EACH ROW WHEN (true) EXECUTE FUNCTION other();
        ALTER TABLE payments ENABLE ALWAYS TRIGGER ${triggerOf(plan)}`,
      /expected to call "lakeshift"."sync_\w+", calls other\(\)/,
    ],
    [
      'the trigger is replaced by one that fires on inserts only',
      (
        plan,
      ) => `CREATE OR REPLACE TRIGGER ${triggerOf(plan)} BEFORE INSERT ON payments FOR EACH ROW WHEN (true) EXECUTE FUNCTION ${functionOf(plan)}();
        ALTER TABLE payments ENABLE ALWAYS TRIGGER ${triggerOf(plan)}`,
      /replaced by one that fires at other times/,
    ],
    [
      'the function is replaced',
      (plan) =>
        `CREATE OR REPLACE FUNCTION ${functionOf(plan)}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`,
      /function lakeshift.sync_\w+\(\) was replaced: expected the one of the plan/,
    ],
    ['the new column is dropped', () => 'ALTER TABLE payments DROP COLUMN amount_cents', /column amount_cents is gone/],
    [
      'the new column gets another type',
      () => 'ALTER TABLE payments ALTER COLUMN amount_cents TYPE numeric',
      /column amount_cents: expected bigint, is numeric/,
    ],
    [
      'the old column gets another type',
      () => 'ALTER TABLE payments ALTER COLUMN amount TYPE numeric(14,2)',
      /column amount: expected numeric\(12,2\), is numeric\(14,2\)/,
    ],
    [
      'the table is renamed',
      () => 'ALTER TABLE payments RENAME TO pay',
      /expected "public"."payments", is called public.pay/,
    ],
    ['the table is dropped', () => 'DROP TABLE payments', /the table is gone/],
  ])('in mid-flight parks when %s, and says what is expected and what is there', async (_, sql, detail) => {
    await world.payments(5_000);
    const plan = await world.expanded();
    const stage = { ...stageOf(plan, 'backfill'), sliceMs: 1 };
    expect(await world.run('backfill', { site: world.site(), stage, rows: 5_000 })).toMatchObject({ finished: false });
    await world.superuser.query(sql(plan));
    await expect(world.backfill(plan)).rejects.toMatchObject({
      type: 'TARGET_DRIFTED',
      message: expect.stringMatching(detail) as string,
    });
  });

  test('notices within a slice that its trigger was disabled', async () => {
    await world.payments(30_000);
    const plan = await world.expanded();
    const stage = { ...stageOf(plan, 'backfill'), rate: 4_000 };
    const running = world.run('backfill', { site: world.site(), stage, rows: 30_000 }).catch((error: unknown) => error);
    await begun(world);
    await world.client.query(`ALTER TABLE payments DISABLE TRIGGER ${triggerOf(plan)}`);
    expect(await running).toMatchObject({ type: 'TARGET_DRIFTED' });
    expect(await left(world)).toBeGreaterThan(0);
  });

  test('says that a column is gone when a chunk has met it first', async () => {
    await world.payments(30_000);
    const plan = await world.expanded();
    const stage = { ...stageOf(plan, 'backfill'), rate: 20_000 };
    const running = world.run('backfill', { site: world.site(), stage, rows: 30_000 }).catch((error: unknown) => error);
    await begun(world);
    await world.client.query('ALTER TABLE payments DROP COLUMN amount_cents');
    expect(await running).toMatchObject({
      type: 'TARGET_DRIFTED',
      message: expect.stringMatching(/amount_cents is gone/) as string,
    });
  });

  test('goes over all rows again when the trigger was away for a moment in which no look fell', async () => {
    await world.payments(5_000);
    const plan = await world.expanded();
    const stage = { ...stageOf(plan, 'backfill'), sliceMs: 60_000 };
    expect(await world.run('backfill', { site: world.site(), stage, rows: 5_000 })).toMatchObject({ finished: true });
    await world.client.query(`ALTER TABLE payments DISABLE TRIGGER ${triggerOf(plan)}`);
    await world.client.query('INSERT INTO payments (amount) SELECT 1 FROM generate_series(1, 300)');
    await world.client.query(`ALTER TABLE payments ENABLE ALWAYS TRIGGER ${triggerOf(plan)}`);
    const facts = await world.backfill(plan);
    expect(facts).toMatchObject({ finished: true, rows: 5_300 });
    expect(facts.notes?.[0]).toMatch(
      /the trigger on public.payments was touched and is at its post again: gone over again/,
    );
    expect(await world.verify(plan)).toMatchObject({ seen: 5_300, wrong: 0 });
  });

  test.each([
    ['a VACUUM FULL', 'VACUUM FULL payments', 20_000],
    [
      'a TRUNCATE and new rows',
      'TRUNCATE payments; INSERT INTO payments (amount) SELECT 1 FROM generate_series(1, 50)',
      50,
    ],
    ['a TRUNCATE', 'TRUNCATE payments', 0],
  ])('goes over it again after %s in mid-slice', async (_, sql, rows) => {
    await world.payments(20_000);
    const plan = await world.expanded();
    const stage = { ...stageOf(plan, 'backfill'), rate: 10_000 };
    const running = world.run('backfill', { site: world.site(), stage, rows: 20_000 });
    await begun(world);
    for (const one of sql.split(';')) await world.client.query(one);
    await world.run('steer', { site: world.site(undefined, 3), paused: false, rate: 1_000_000 });
    const facts = await running;
    expect(facts).toMatchObject({ finished: true });
    expect(facts.notes).toContainEqual('public.payments was rewritten or truncated: gone over again');
    expect(await world.verify(plan)).toMatchObject({ seen: rows, wrong: 0 });
  });

  test('does not mind other columns, other triggers, an analysis or a vacuum', async () => {
    await world.payments(5_000);
    const plan = await world.expanded();
    const stage = { ...stageOf(plan, 'backfill'), sliceMs: 1 };
    await world.run('backfill', { site: world.site(), stage, rows: 5_000 });
    await world.client.query(`CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`);
    await world.client.query('CREATE TRIGGER other AFTER INSERT ON payments EXECUTE FUNCTION other()');
    await world.client.query('ALTER TABLE payments ADD COLUMN more int');
    await world.client.query('VACUUM ANALYZE payments');
    expect(await world.backfill(plan)).toMatchObject({ finished: true, notes: [] });
  });
});

async function begun(world: SqlWorld): Promise<void> {
  while ((await left(world)) === (await count(world))) await new Promise((resolve) => setTimeout(resolve, 20));
}

const count = async (world: SqlWorld): Promise<number> =>
  (await world.rows<{ n: number }>('SELECT count(*)::int AS n FROM payments'))[0]?.n ?? 0;
const left = async (world: SqlWorld): Promise<number> =>
  (await world.rows<{ n: number }>('SELECT count(*)::int AS n FROM payments WHERE amount_cents IS NULL'))[0]?.n ?? 0;
