import type { TablePlan } from '../../../contracts/plan.ts';
import { centsSpec, SqlWorld, stageOf } from '../../support/sql-world.ts';

/** One write, and what the row holds after it: [amount, amount_cents]. */
type Case = readonly [
  what: string,
  sql: string,
  before: [string | null, string | null],
  after: [string | null, string | null],
];

const reset = `DELETE FROM payments; INSERT INTO payments (id, amount) VALUES (1, 2.50)`;
const both: readonly Case[] = [
  [
    'an insert of the old shape',
    'INSERT INTO payments (id, amount) VALUES (1, 12.34)',
    ['12.34', '1234'],
    ['12.34', '1234'],
  ],
  [
    'an insert of the new shape',
    'INSERT INTO payments (id, amount_cents) VALUES (1, 4321)',
    ['43.21', '4321'],
    ['43.21', '4321'],
  ],
  [
    'an insert of both that agree',
    'INSERT INTO payments (id, amount, amount_cents) VALUES (1, 1.00, 100)',
    ['1.00', '100'],
    ['1.00', '100'],
  ],
  [
    'an insert of both that disagree',
    'INSERT INTO payments (id, amount, amount_cents) VALUES (1, 1.00, 200)',
    ['1.00', '100'],
    ['2.00', '200'],
  ],
  ['an update of the old shape', `${reset}; UPDATE payments SET amount = 9.99`, ['9.99', '999'], ['9.99', '999']],
  ['an update of the new shape', `${reset}; UPDATE payments SET amount_cents = 700`, ['7.00', '700'], ['7.00', '700']],
  [
    'an update of both that agree',
    `${reset}; UPDATE payments SET amount = 3, amount_cents = 300`,
    ['3.00', '300'],
    ['3.00', '300'],
  ],
  [
    'an update of both that disagree',
    `${reset}; UPDATE payments SET amount = 3, amount_cents = 400`,
    ['3.00', '300'],
    ['4.00', '400'],
  ],
  ['an unrelated update', `${reset}; UPDATE payments SET note = 'x'`, ['2.50', '250'], ['2.50', '250']],
  ['a changed key', `${reset}; UPDATE payments SET id = 7`, ['2.50', '250'], ['2.50', '250']],
];

describe('the two-way trigger', () => {
  let world: SqlWorld;
  let plan: TablePlan;
  beforeAll(async () => {
    world = await SqlWorld.open();
    await world.payments(3);
    plan = await world.expanded();
  });
  afterAll(() => world.close());

  const row = async () => {
    const [found] = await world.rows<{ amount: string; amount_cents: string }>(
      'SELECT amount, amount_cents FROM payments',
    );
    return [found?.amount, found?.amount_cents];
  };

  test.each(both)('while the old shape leads: %s leaves both true', async (_, sql, before) => {
    await world.client.query(`DELETE FROM payments; ${sql}`);
    expect(await row()).toEqual(before);
  });

  test('an unrelated update converts a row that the backfill has not reached', async () => {
    await world.client.query(
      `${reset}; SET lakeshift.actor = '${plan.specHash.slice(0, 8)}'; UPDATE payments SET amount_cents = NULL; RESET lakeshift.actor`,
    );
    expect(await row()).toEqual(['2.50', null]);
    await world.client.query(`UPDATE payments SET note = 'moved'`);
    expect(await row()).toEqual(['2.50', '250']);
  });

  test('keeps the NOT NULL of the old column', async () => {
    await expect(world.client.query('INSERT INTO payments (id) VALUES (9)')).rejects.toMatchObject({ code: '23502' });
  });

  test('works for a role that knows nothing of us', async () => {
    const stranger = await world.application();
    await expect(stranger.query('SELECT FROM lakeshift.misfits')).rejects.toMatchObject({ code: '42501' });
    await world.client.query('DELETE FROM payments');
    await stranger.query('INSERT INTO payments (id, amount) VALUES (1, 5)');
    await stranger.query('UPDATE payments SET amount_cents = 99999999999999');
    expect(await world.rows('SELECT key FROM lakeshift.misfits')).toEqual([{ key: ['1'] }]);
    await world.superuser.query('DELETE FROM lakeshift.misfits');
  });

  describe('once the new shape leads', () => {
    beforeAll(() =>
      world.run('alter', { site: world.site(), stage: 'cutover', alteration: stageOf(plan, 'cutover').perform }),
    );

    test.each(both)('%s leaves both true', async (_, sql, __, after) => {
      await world.client.query(`DELETE FROM payments; ${sql}`);
      expect(await row()).toEqual(after);
    });

    test('a value that the old shape can not hold is written, and counted until it fits or goes', async () => {
      const { wayBack } = stageOf(plan, 'cutover');
      const misfits = async () =>
        (await world.run('look', { target: 'shop', statements: [wayBack], mode: 'read-only' }))['wayBack'];
      await world.client.query(
        `DELETE FROM payments; INSERT INTO payments (id, amount_cents) VALUES (1, 99999999999999)`,
      );
      expect(await row()).toEqual([null, '99999999999999']);
      expect(await misfits()).toEqual({ ok: true, rows: [{ misfits: 1 }] });
      expect(await world.verify(plan)).toMatchObject({ seen: 1, wrong: 0, lossy: 1 });
      await world.client.query('UPDATE payments SET amount_cents = 100');
      expect(await row()).toEqual(['1.00', '100']);
      expect(await misfits()).toEqual({ ok: true, rows: [{ misfits: 0 }] });
    });

    test('the old shape leads again after the undo', async () => {
      for (const alteration of stageOf(plan, 'cutover').undo)
        await world.run('alter', { site: world.site(), stage: 'cutover', alteration });
      await world.client.query(
        'DELETE FROM payments; INSERT INTO payments (id, amount, amount_cents) VALUES (1, 1.00, 200)',
      );
      expect(await row()).toEqual(['1.00', '100']);
    });
  });
});

test('with new-wins the new shape wins from the beginning where a write sets both', async () => {
  const world = await SqlWorld.open();
  try {
    await world.payments(1);
    await world.expanded({ ...centsSpec, conflict: 'new-wins' });
    await world.client.query('UPDATE payments SET amount = 3, amount_cents = 400');
    expect(await world.rows('SELECT amount, amount_cents FROM payments')).toEqual([
      { amount: '4.00', amount_cents: '400' },
    ]);
  } finally {
    await world.close();
  }
});

test('a rollback that loses a value leaves the column nullable, and no write of the application fails', async () => {
  const world = await SqlWorld.open();
  try {
    await world.payments(10);
    const plan = await world.expanded();
    await world.backfill(plan);
    await world.client.query('UPDATE payments SET amount_cents = 99999999999999 WHERE id = 3');
    const { undo, undoLong } = stageOf(plan, 'expand');
    for (const alteration of undo) await world.run('alter', { site: world.site(), stage: 'expand', alteration });
    await world.run('alterLong', { site: world.site(), statements: undoLong });
    await world.client.query(`UPDATE payments SET note = 'x'`);
    expect(await world.rows('SELECT id, amount FROM payments WHERE amount IS NULL')).toEqual([
      { id: '3', amount: null },
    ]);
  } finally {
    await world.close();
  }
});

test('without a key each write that the old shape can not hold is counted', async () => {
  const world = await SqlWorld.open();
  try {
    await world.client.query(
      'CREATE TABLE payments (plain int, amount numeric(12,2)); INSERT INTO payments VALUES (1, 1), (2, 2)',
    );
    const plan = await world.expanded();
    await world.client.query('UPDATE payments SET amount_cents = 99999999999999');
    const { wayBack } = stageOf(plan, 'cutover');
    const seen = await world.run('look', { target: 'shop', statements: [wayBack], mode: 'read-only' });
    expect(seen['wayBack']).toEqual({ ok: true, rows: [{ misfits: 2 }] });
  } finally {
    await world.close();
  }
});

test('columns of hostile names are converted both ways', async () => {
  const world = await SqlWorld.open();
  try {
    await world.client.query(`CREATE TABLE "Odd ""Table" (id int PRIMARY KEY, "NEW" int NOT NULL, "old" text)`);
    await world.client.query(`INSERT INTO "Odd ""Table" SELECT g, g FROM generate_series(1, 100) g`);
    const plan = await world.expanded({
      ...centsSpec,
      table: 'public."Odd ""Table"',
      changes: [
        { type: '"NEW"', to: '"lakeshift_in" text', up: `"NEW"::text`, down: `"lakeshift_in"::int` },
        { add: '"it\'s" int', up: `"NEW" * 2` },
      ],
    });
    await world.backfill(plan);
    await world.client.query(`INSERT INTO "Odd ""Table" (id, "lakeshift_in") VALUES (101, '7')`);
    expect(await world.verify(plan)).toMatchObject({ seen: 101, wrong: 0 });
    expect(
      await world.rows(`SELECT "NEW", "lakeshift_in", "it's" FROM "Odd ""Table" WHERE id IN (5, 101) ORDER BY id`),
    ).toEqual([
      { NEW: 5, lakeshift_in: '5', "it's": 10 },
      { NEW: 7, lakeshift_in: '7', "it's": 14 },
    ]);
  } finally {
    await world.close();
  }
});
