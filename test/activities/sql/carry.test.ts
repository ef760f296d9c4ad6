import { catalogSnapshot } from '../../support/catalog-snapshot.ts';
import { ordersSpec } from '../../support/orders-spec.ts';
import { SqlWorld } from '../../support/sql-world.ts';
import { StageWalk } from '../../support/stage-walk.ts';

/** A table on whose columns everything hangs that a table of a shop may have. */
const shop = `
CREATE TABLE customers (id int PRIMARY KEY, name text);
CREATE TABLE orders (
  id serial CONSTRAINT orders_pk PRIMARY KEY,
  customer_id int NOT NULL CONSTRAINT orders_customer_fk REFERENCES customers ON DELETE CASCADE,
  code varchar(20) COLLATE "C" NOT NULL CONSTRAINT orders_code_uq UNIQUE,
  amount int NOT NULL DEFAULT 5 CONSTRAINT amount_positive CHECK (amount > 0),
  placed timestamptz NOT NULL DEFAULT clock_timestamp(),
  note text);
CREATE INDEX orders_amount_idx ON orders USING btree (amount DESC, note) INCLUDE (placed) WITH (fillfactor = 80) WHERE amount > 10;
CREATE INDEX orders_twice ON orders ((amount * 2), lower(note));
COMMENT ON INDEX orders_twice IS 'twice';
ALTER INDEX orders_twice ALTER COLUMN 1 SET STATISTICS 500;
CREATE INDEX orders_note_big ON orders (note) WHERE amount > 100;
CREATE INDEX orders_code_pattern ON orders (code varchar_pattern_ops);
ALTER TABLE orders CLUSTER ON orders_code_uq;
ALTER TABLE orders REPLICA IDENTITY USING INDEX orders_code_uq;
CREATE STATISTICS orders_stx (ndistinct, dependencies) ON amount, note FROM orders;
COMMENT ON COLUMN orders.amount IS 'in whole units';
COMMENT ON CONSTRAINT amount_positive ON orders IS 'nothing is free';
GRANT SELECT (amount), UPDATE (amount) ON orders TO PUBLIC;
ALTER TABLE orders ALTER amount SET STATISTICS 300, ALTER amount SET (n_distinct = -0.5), ALTER code SET STORAGE EXTERNAL;
CREATE TABLE lines (order_id int NOT NULL CONSTRAINT lines_order_fk REFERENCES orders ON UPDATE CASCADE, line int, PRIMARY KEY (order_id, line));
CREATE TABLE labels (order_code varchar(20) CONSTRAINT labels_code_fk REFERENCES orders (code) ON DELETE CASCADE);
CREATE VIEW big_orders WITH (security_barrier) AS SELECT o.id, o.amount, o.code, c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.amount > 100;
CREATE VIEW very_big AS SELECT * FROM big_orders WHERE amount > 1000;
COMMENT ON VIEW big_orders IS 'big';
GRANT SELECT ON big_orders TO PUBLIC;
INSERT INTO customers SELECT g, 'c' || g FROM generate_series(1, 100) g;
INSERT INTO orders (customer_id, code, amount, note) SELECT 1 + g % 100, 'code' || g, 1 + g % 5000, 'n' || g FROM generate_series(1, 2000) g;
INSERT INTO lines SELECT id, 1 FROM orders;
INSERT INTO labels SELECT code FROM orders WHERE id % 3 = 0;
ANALYZE;
`;

/**
 * The catalog without the places of columns: a new column is the last one, wherever the old one was. Nor with what an
 * index calls its columns inside: RENAME COLUMN leaves that as it was.
 */
async function catalog(world: SqlWorld): Promise<readonly string[]> {
  const lines = await catalogSnapshot(world.client);
  const indexes = lines.flatMap((line) => /^index: (\S+)/.exec(line)?.[1] ?? []);
  const sorted = (columns: string): string => columns.split(', ').sort().join(', ');
  return (
    lines
      // each database of a test has roles of its own
      .map((line) => line.replace(/\btest_[0-9a-f]+_/g, 'test_'))
      .map((line) => line.replace(/^(column: [^|]+) \| \d+/, '$1'))
      .map((line) =>
        line.replace(/^column: ([^ .]+)\.\S+/, (all, name: string) =>
          indexes.includes(name) ? `column: ${name}.?` : all,
        ),
      )
      .map((line) => line.replace(/(?<=^statistics: .* ON )(.*)(?= FROM)/, sorted))
      .sort()
  );
}

describe('what hangs on a column', () => {
  let world: SqlWorld;
  let twin: SqlWorld;
  beforeEach(async () => {
    [world, twin] = await Promise.all([SqlWorld.open(), SqlWorld.open()]);
    await Promise.all([world.client.query(shop), twin.client.query(shop)]);
  });
  afterEach(() => Promise.all([world.close(), twin.close()]));

  test.each([
    ['a column with indexes, a check, statistics, grants and views', 'amount', 'total'],
    ['a column with a foreign key', 'customer_id', 'buyer_id'],
    ['a column with a unique constraint that others refer to', 'code', 'reference'],
    ['a column with a computed default', 'placed', 'placed_at'],
    ['the primary key with its sequence', 'id', 'order_id'],
    ['a column on which little hangs', 'note', 'remark'],
  ])('a rename of %s leaves the catalog as RENAME COLUMN does', async (_, from, to) => {
    const before = await catalog(world);
    const there = await StageWalk.begin(world, ordersSpec({ rename: from, to }));
    await there.through('grace');
    await there.back('grace');
    expect(await catalog(world)).toEqual(before);

    const walk = await StageWalk.begin(world, ordersSpec({ rename: from, to }));
    await walk.through('contract');
    await walk.release();
    await twin.client.query(`ALTER TABLE orders RENAME COLUMN ${from} TO ${to}`);
    expect(await catalog(world)).toEqual(await catalog(twin));
  });

  const swap = (column: string, type: string, misfits: 'count' | 'refuse' = 'count') =>
    ordersSpec({ type: column, to: `${column} ${type}`, misfits });

  test.each([
    ['a column with indexes, a check, statistics, grants and a default', 'amount', 'bigint', 'count'],
    ['a column with a foreign key', 'customer_id', 'bigint', 'count'],
    ['a column with a unique constraint that others refer to', 'code', 'text', 'refuse'],
    ['the primary key with its sequence, to which others refer', 'id', 'bigint', 'refuse'],
  ] as const)('a swap of %s leaves the catalog as ALTER COLUMN TYPE does', async (_, column, type, misfits) => {
    const before = await catalog(world);
    const there = await StageWalk.begin(world, swap(column, type, misfits));
    await there.through('grace');
    await there.back('grace');
    expect(await catalog(world)).toEqual(before);

    const walk = await StageWalk.begin(world, swap(column, type, misfits));
    await walk.through('contract');
    await walk.release();
    const views = ['big_orders', 'very_big'].map((name) => `DROP VIEW ${name}`).reverse();
    await twin.client.query(`${views.join('; ')}; ALTER TABLE orders ALTER COLUMN ${column} TYPE ${type}`);
    await twin.client.query(
      shop
        .split('\n')
        .filter((line) => /VIEW|ON big_orders/.test(line))
        .join('\n'),
    );
    // ALTER COLUMN TYPE forgets an index's own statistics target, and leaves a serial's sequence where it was: both would bite
    if (column === 'amount') await twin.client.query('ALTER INDEX orders_twice ALTER COLUMN 1 SET STATISTICS 500');
    if (column === 'id') await twin.client.query('ALTER SEQUENCE orders_id_seq AS bigint');
    expect(await catalog(world)).toEqual(await catalog(twin));
  });
});
