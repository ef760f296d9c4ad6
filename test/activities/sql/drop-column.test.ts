import type { TableSpec } from '../../../contracts/spec.ts';
import { planDeployment } from '../../../decisions/plan-deployment.ts';
import { centsSpec, SqlWorld, stageOf } from '../../support/sql-world.ts';

const dropOf = (change: object): TableSpec => ({
  ...centsSpec,
  name: 'payments-drop',
  changes: [change as TableSpec['changes'][0]],
});

describe('a column that goes', () => {
  let world: SqlWorld;
  beforeEach(async () => {
    world = await SqlWorld.open();
    await world.payments(500);
  });
  afterEach(() => world.close());

  const columns = async () =>
    (
      await world.rows<{ line: string }>(
        `SELECT attname || ' ' || format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END AS line
       FROM pg_attribute WHERE attrelid = 'payments'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
      )
    ).map(({ line }) => line);
  const before = ['id bigint NOT NULL', 'amount numeric(12,2) NOT NULL', 'note text'];
  const alter = async (stage: string, alteration: Parameters<typeof world.run<'alter'>>[1]['alteration']) =>
    world.run('alter', { site: world.site(), stage, alteration });

  test('that is NOT NULL without a default needs a value for writers that no longer name it', async () => {
    const result = planDeployment({
      ...{ dialect: 'postgres', environment: 'test', taskQueue: 'q', homeSchema: 'lakeshift' },
      spec: dropOf({ drop: 'amount' }),
      facts: await world.facts(dropOf({ drop: 'amount' })),
    });
    expect(result).toMatchObject({
      ok: false,
      problems: [{ pointer: '/changes/0/drop', detail: expect.stringContaining('`down`') as string }],
    });
  });

  test.each([
    ['the key', { drop: 'id' }, '/changes/0/drop', 'key'],
    ['a column that is not there', { drop: 'amuont', down: '0' }, '/changes/0/drop', 'no column amuont'],
    ['a value from a column that is not there', { drop: 'note', down: 'remark' }, '/changes/0/down', 'remark'],
  ])('is refused for %s', async (_, change, pointer, detail) => {
    const result = await world.tryPlan(dropOf(change));
    expect(result).toMatchObject({ ok: false });
    expect(result.ok ? [] : result.problems).toContainEqual(
      expect.objectContaining({ pointer, detail: expect.stringContaining(detail) as string }),
    );
  });

  test('stays complete for both applications, and its drop is the last act', async () => {
    const plan = await world.expanded(dropOf({ drop: 'amount', down: 'length(note)' }));
    expect(plan.risk.pointOfNoReturn).toBe('contract');
    expect(plan.stages.map(({ approve }) => approve !== null)).toEqual([false, false, false, false, true, false, true]);
    await world.client.query(`INSERT INTO payments (note) VALUES ('seven!!')`);
    await world.client.query(`INSERT INTO payments (amount, note) VALUES (3.50, 'old writer')`);
    await world.client.query(`UPDATE payments SET amount = 9 WHERE note = 'old writer'`);
    expect(await world.rows(`SELECT amount, note FROM payments WHERE id > 500 ORDER BY id`)).toEqual([
      { amount: '7.00', note: 'seven!!' },
      { amount: '9.00', note: 'old writer' },
    ]);
    expect(await world.backfill(plan)).toMatchObject({ finished: true, rows: 0 });
    await alter('cutover', stageOf(plan, 'cutover').perform);
    expect(await world.rows(stageOf(plan, 'cutover').wayBack.sql)).toEqual([{ misfits: 0 }]);
    await alter('contract', stageOf(plan, 'contract').perform);
    expect(await columns()).toEqual(['id bigint NOT NULL', 'note text']);
    await world.client.query(`INSERT INTO payments (note) VALUES ('new writer')`);
    expect(await world.rows(`SELECT tgname FROM pg_trigger WHERE tgrelid = 'payments'::regclass`)).toEqual([]);
  });

  test('taken back is as it was, with its NOT NULL', async () => {
    const plan = await world.expanded(dropOf({ drop: 'amount', down: '0' }));
    await world.client.query(`INSERT INTO payments (note) VALUES ('new writer')`);
    const { undo, undoLong } = stageOf(plan, 'expand');
    for (const alteration of undo) await alter('expand', alteration);
    await world.run('alterLong', { site: world.site(), statements: undoLong });
    expect(await columns()).toEqual(before);
    expect(
      await world.rows(`SELECT conname FROM pg_constraint WHERE conrelid = 'payments'::regclass AND contype = 'c'`),
    ).toEqual([]);
  });

  test('written without a value that `down` could give is counted as lost on the way back, and the write succeeds', async () => {
    const plan = await world.expanded(dropOf({ drop: 'amount', down: '1000000 / (length(note) - 1)' }));
    await world.client.query(`INSERT INTO payments (note) VALUES ('1')`);
    expect(await world.rows(stageOf(plan, 'cutover').wayBack.sql)).toEqual([{ misfits: 1 }]);
    for (const alteration of stageOf(plan, 'expand').undo) await alter('expand', alteration);
    expect((await columns())[1]).toBe('amount numeric(12,2)');
    await world.client.query(`UPDATE payments SET note = '2' WHERE note = '1'`);
  });

  test('that others depend on is not dropped', async () => {
    await world.client.query(`ALTER TABLE payments ADD COLUMN doubled numeric GENERATED ALWAYS AS (amount * 2) STORED`);
    const plan = await world.expanded(dropOf({ drop: 'amount', down: '0' }));
    const looks = await world.run('look', {
      target: 'shop',
      statements: stageOf(plan, 'contract').evidence,
      mode: 'read-only',
    });
    expect(looks['dependents']).toMatchObject({ ok: true });
    const rows = looks['dependents']?.ok === true ? looks['dependents'].rows : [];
    expect(rows).toContainEqual(expect.objectContaining({ blocks: true }));
  });
});
