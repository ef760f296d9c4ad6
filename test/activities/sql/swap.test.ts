import type { TableSpec } from '../../../contracts/spec.ts';
import { SqlWorld, stageOf } from '../../support/sql-world.ts';
import { StageWalk } from '../../support/stage-walk.ts';

const spec = (...changes: TableSpec['changes']): TableSpec => ({
  name: 'payments-swap',
  strategy: 'expand-contract',
  target: 'shop',
  table: 'public.payments',
  changes,
  cutover: { accept: 'prepared-statement-errors' },
});
const cents = spec({ type: 'amount', to: 'amount bigint', up: 'round(amount * 100)', down: 'amount / 100.0' });

describe('a type that changes under its name', () => {
  let world: SqlWorld;
  beforeEach(async () => {
    world = await SqlWorld.open();
    await world.client.query(
      `CREATE TABLE payments (id int PRIMARY KEY, amount numeric(6,2) NOT NULL DEFAULT 1.50, note text); INSERT INTO payments SELECT g, g / 4.0 FROM generate_series(1, 400) g; ANALYZE payments`,
    );
  });
  afterEach(() => world.close());

  const amount = async (id: number) =>
    (await world.rows<{ amount: string }>(`SELECT amount FROM payments WHERE id = ${id}`))[0]?.amount;
  const columns = async () =>
    (
      await world.rows<{ line: string }>(
        `SELECT attname || ' ' || format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END || coalesce(' DEFAULT ' || pg_get_expr(adbin, adrelid), '') AS line
         FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attrelid = 'payments'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
      )
    ).map(({ line }) => line);
  const lost = async (walk: StageWalk) =>
    Number((await world.rows(stageOf(walk.plan, 'cutover').wayBack.sql))[0]?.['misfits']);

  test('shows the old values until the cutover, the new ones after it, and has its default converted', async () => {
    const walk = await StageWalk.begin(world, cents);
    await walk.through('verify');
    await world.client.query('UPDATE payments SET amount = 12.34 WHERE id = 1');
    expect(await amount(1)).toBe('12.34');
    await walk.through('grace', 'verify');
    expect(await amount(1)).toBe('1234');
    await world.client.query('INSERT INTO payments (id) VALUES (1000); UPDATE payments SET amount = 999 WHERE id = 2');
    expect([await amount(1000), await amount(2)]).toEqual(['150', '999']);
    await walk.perform(stageOf(walk.plan, 'grace'));
    await walk.through('contract', 'grace');
    await walk.release();
    expect((await columns()).map((line) => line.replaceAll("'", ''))).toEqual([
      'id integer NOT NULL',
      'note text',
      'amount bigint NOT NULL DEFAULT 150::bigint',
    ]);
    expect([await amount(1), await amount(1000), await amount(2)]).toEqual(['1234', '150', '999']);
  });

  test('goes back without a loss while the old type holds every value', async () => {
    const before = await columns();
    const walk = await StageWalk.begin(world, cents);
    await walk.through('grace');
    await world.client.query(
      'UPDATE payments SET amount = 777 WHERE id = 3; INSERT INTO payments (id, amount) VALUES (1001, 42)',
    );
    expect(await lost(walk)).toBe(0);
    await walk.back('grace');
    expect(await columns()).toEqual(before);
    expect([await amount(3), await amount(1001), await amount(4)]).toEqual(['7.77', '0.42', '1.00']);
  });

  test('counts what the old type can not hold, and going back loses just that', async () => {
    const walk = await StageWalk.begin(world, cents);
    await walk.through('grace');
    await world.client.query('UPDATE payments SET amount = 100000000 WHERE id IN (5, 6)');
    expect(await lost(walk)).toBe(2);
    await walk.perform(stageOf(walk.plan, 'grace'));
    await walk.back('grace');
    expect([await amount(5), await amount(6), await amount(7)]).toEqual([null, null, '1.75']);
    expect(await columns()).toContain('amount numeric(6,2) DEFAULT 1.50');
  });

  test('refuses such a write when the spec says so, and then keeps NOT NULL all the way', async () => {
    const walk = await StageWalk.begin(
      world,
      spec({ ...cents.changes[0], misfits: 'refuse' } as TableSpec['changes'][0]),
    );
    await walk.through('grace');
    await expect(world.client.query('UPDATE payments SET amount = 100000000 WHERE id = 5')).rejects.toThrow(
      'does not fit',
    );
    await expect(world.client.query('UPDATE payments SET amount = NULL WHERE id = 5')).rejects.toThrow('null');
    expect(await lost(walk)).toBe(0);
  });

  test('makes a prepared statement fail once, as the spec has accepted', async () => {
    const application = await world.application();
    const read = () => application.query({ name: 'read', text: 'SELECT amount FROM payments WHERE id = 8' });
    await read();
    const walk = await StageWalk.begin(world, cents);
    await walk.through('grace');
    await expect(read()).rejects.toThrow('cached plan must not change result type');
    expect(walk.plan.findings.map(({ code }) => code)).toContain('PREPARED_STATEMENTS');
  });

  test('does not wait in front of a reader of a view that it has to make anew', async () => {
    await world.client.query('CREATE VIEW seen AS SELECT amount FROM payments');
    const walk = await StageWalk.begin(world, cents);
    await walk.through('verify');
    const reader = await world.application();
    await reader.query('BEGIN; LOCK TABLE seen IN ACCESS SHARE MODE');
    const { perform } = stageOf(walk.plan, 'cutover');
    expect(perform.alsoLocks).toEqual(['public.seen']);
    const exchanging = world.run('alter', { site: world.site(), stage: 'cutover', alteration: perform });
    const application = await world.application();
    await application.query(`SET lock_timeout = '500ms'`);
    for (let i = 0; i < 40; i++) {
      await application.query('SELECT count(*) FROM seen');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await reader.query('COMMIT');
    expect(await exchanging).toMatchObject({ changed: true });
    expect(await application.query('SELECT amount FROM seen LIMIT 1')).toMatchObject({ rowCount: 1 });
  });
});

test('what hangs on a column of another name and type comes along too, and it is NOT NULL after the contract', async () => {
  const world = await SqlWorld.open();
  try {
    await world.client.query(
      `CREATE TABLE payments (id int PRIMARY KEY, amount int NOT NULL DEFAULT 7, code text NOT NULL UNIQUE); CREATE INDEX by_amount ON payments (amount, id); INSERT INTO payments SELECT g, g, g FROM generate_series(1, 100) g`,
    );
    const walk = await StageWalk.begin(
      world,
      spec(
        { type: 'amount', to: 'total numeric' },
        { type: 'code', to: 'number int', up: 'code::int', down: 'number::text' },
      ),
    );
    await walk.through('contract');
    await walk.release();
    const lines = await world.rows(
      `SELECT pg_get_indexdef(indexrelid) AS line FROM pg_index WHERE indrelid = 'payments'::regclass
       UNION SELECT attname || ' ' || attnotnull || coalesce(' ' || pg_get_expr(adbin, adrelid), '') FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attrelid = 'payments'::regclass AND attnum > 0 AND NOT attisdropped
       UNION SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'payments'::regclass AND contype <> 'n' ORDER BY 1`,
    );
    expect(lines.map(({ line }) => String(line))).toEqual([
      'CREATE INDEX by_amount ON public.payments USING btree (total, id)',
      'CREATE UNIQUE INDEX payments_code_key ON public.payments USING btree (number)',
      'CREATE UNIQUE INDEX payments_pkey ON public.payments USING btree (id)',
      'id true',
      'number true',
      'payments_code_key UNIQUE (number)',
      'payments_pkey PRIMARY KEY (id)',
      'total true 7',
    ]);
  } finally {
    await world.close();
  }
});
