import type { TableSpec } from '../../../contracts/spec.ts';
import { ordersSpec } from '../../support/orders-spec.ts';
import { SqlWorld } from '../../support/sql-world.ts';

const rename: TableSpec['changes'][0] = { rename: 'amount', to: 'total' };
const swap: TableSpec['changes'][0] = { type: 'amount', to: 'amount bigint' };
const cents: TableSpec['changes'][0] = {
  type: 'amount',
  to: 'amount bigint',
  up: 'amount * 100',
  down: '(amount / 100)::int',
};

describe('what can not come along', () => {
  let world: SqlWorld;
  beforeEach(async () => {
    world = await SqlWorld.open();
    await world.client.query(
      'CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, amount int NOT NULL, note text, at timestamptz DEFAULT now())',
    );
  });
  afterEach(() => world.close());

  const problems = async (...changes: TableSpec['changes']) => {
    const result = await world.tryPlan(ordersSpec(...changes));
    return result.ok ? [] : result.problems;
  };
  const along = async (...changes: TableSpec['changes']): Promise<readonly string[]> => {
    const plan = await world.plan(ordersSpec(...changes));
    return plan.findings.filter(({ code }) => code === 'COMES_ALONG').map(({ detail }) => detail);
  };

  test.each<[string, string, TableSpec['changes'][0]]>([
    ['materialized view public.amounts', 'CREATE MATERIALIZED VIEW amounts AS SELECT amount FROM orders', rename],
    ['rule', 'CREATE RULE quiet AS ON UPDATE TO orders WHERE new.amount < 0 DO INSTEAD NOTHING', rename],
    ['policy', 'CREATE POLICY small ON orders USING (amount < 10)', swap],
    [
      'trigger',
      `CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'; CREATE TRIGGER t BEFORE UPDATE OF amount ON orders FOR EACH ROW EXECUTE FUNCTION f()`,
      swap,
    ],
    ['column twice', 'ALTER TABLE orders ADD twice int GENERATED ALWAYS AS (amount * 2) STORED', rename],
    ['publication', 'CREATE PUBLICATION p FOR TABLE orders (id, amount)', rename],
    ['constraint apart', 'ALTER TABLE orders ADD CONSTRAINT apart EXCLUDE USING btree (amount WITH =)', swap],
    ['function', 'CREATE FUNCTION g() RETURNS int BEGIN ATOMIC SELECT max(amount) FROM orders; END', rename],
    [
      'view public.strict',
      'CREATE VIEW strict AS SELECT amount FROM orders; CREATE RULE q AS ON INSERT TO strict DO INSTEAD NOTHING',
      swap,
    ],
    [
      'constraint few',
      'ALTER TABLE orders ADD CONSTRAINT few CHECK (amount < 10)',
      { type: 'amount', to: 'amount text' },
    ],
    ['constraint few', 'ALTER TABLE orders ADD CONSTRAINT few CHECK (amount < 10)', cents],
    ['index few', 'CREATE INDEX few ON orders (note) WHERE amount < 10', cents],
    [
      'default of column amount',
      'CREATE FUNCTION d() RETURNS int RETURN 5; ALTER TABLE orders ALTER amount SET DEFAULT d()',
      cents,
    ],
  ])('%s is named, and nothing is planned', async (what, sql, change) => {
    await world.client.query(sql);
    expect(await problems(change)).toContainEqual({
      pointer: expect.stringMatching(/^\/changes\/0\/(?:rename|type)$/) as string,
      detail: expect.stringContaining(what) as string,
    });
  });

  test('an object that hangs on two columns which both change is left to people', async () => {
    await world.client.query('CREATE INDEX pairs ON orders (amount, note)');
    expect(JSON.stringify(await problems(rename, { rename: 'note', to: 'remark' }))).toContain('index pairs');
    expect(await along(rename)).toEqual([expect.stringContaining('index pairs') as string]);
  });

  test('an index or constraint may be left behind by its name, and goes with the old column', async () => {
    await world.client.query(
      'ALTER TABLE orders ADD CONSTRAINT few_of_them CHECK (amount < 10); CREATE INDEX plain ON orders (amount)',
    );
    const plan = await world.plan(ordersSpec({ ...cents, leaveBehind: ['few_of_them'] }));
    expect(plan.findings).toContainEqual(
      expect.objectContaining({
        code: 'STAYS_BEHIND',
        level: 'warned',
        detail: expect.stringContaining('few_of_them') as string,
      }),
    );
    expect(JSON.stringify(plan.stages.find(({ kind }) => kind === 'build'))).not.toContain('_new_amount < 10');
    expect(await problems({ ...cents, leaveBehind: ['few_of_thm'] })).toContainEqual(
      expect.objectContaining({ pointer: '/changes/0/leaveBehind/0', didYouMean: 'few_of_them' }),
    );
  });

  test('a column of another name and type brings along what it can, and the plan names the rest', async () => {
    await world.client.query(
      'ALTER TABLE orders ADD CONSTRAINT few CHECK (amount < 10); CREATE INDEX plain ON orders (amount); CREATE POLICY small ON orders USING (amount < 10)',
    );
    const other: TableSpec['changes'][0] = {
      type: 'amount',
      to: 'cents bigint',
      up: 'amount * 100',
      down: '(cents / 100)::int',
    };
    expect(await along(other)).toEqual([expect.stringContaining('index plain') as string]);
    const { findings } = await world.plan(ordersSpec(other));
    const behind = findings.find(({ code }) => code === 'STAYS_BEHIND')?.detail ?? '';
    expect(behind).toContain('constraint few');
    expect(behind).toContain('policy small');
  });

  test.each<[string, TableSpec['changes'][0], string]>([
    ['a key whose misfits are counted', { type: 'id', to: 'id bigint' }, 'misfits: refuse'],
    ['a key whose type gets narrower', { type: 'id', to: 'id smallint', misfits: 'refuse' }, 'must fit'],
    ['an identity under another name', { rename: 'id', to: 'order_id' }, 'generated by the database'],
    ['an empty column with a computed default', { rename: 'at', to: 'placed_at' }, 'computed for each row'],
    ['a name that is there', { rename: 'amount', to: 'note' }, 'is there already'],
  ])('%s is refused with the reason', async (_, change, reason) => {
    expect(JSON.stringify(await problems(change))).toContain(reason);
  });

  test('what belongs to a role of which ours is no member is refused by its name', async () => {
    await world.superuser.query(
      'CREATE VIEW theirs AS SELECT amount FROM orders; ALTER TABLE orders ADD CONSTRAINT one UNIQUE (amount); CREATE TABLE parts (amount int CONSTRAINT part_of REFERENCES orders (amount))',
    );
    const found = JSON.stringify(await problems(swap));
    expect(found).toContain('view public.theirs belongs to a role of which ours is no member');
    expect(found).toContain('constraint part_of on table parts belongs to a role of which ours is no member');
  });
});
