import { catalogWithoutPlaces } from '../../support/catalog-snapshot.ts';
import { ordersSpec, shop } from '../../support/orders-spec.ts';
import { SqlWorld } from '../../support/sql-world.ts';
import { StageWalk } from '../../support/stage-walk.ts';

const catalog = (world: SqlWorld): Promise<readonly string[]> => catalogWithoutPlaces(world.client);

/** Everything on the newest server; on the oldest, which prints definitions in another way, what has most to bring along. */
const richest = (what: string): boolean => what.startsWith('a column with indexes');

describe.each([18, 14] as const)('what hangs on a column of PostgreSQL %s', (major) => {
  const those = <C extends readonly [string, ...string[]]>(cases: readonly C[]): readonly C[] =>
    cases.filter(([what]) => major === 18 || richest(what));

  let world: SqlWorld;
  let twin: SqlWorld;
  beforeEach(async () => {
    [world, twin] = await Promise.all([SqlWorld.open({ major }), SqlWorld.open({ major })]);
    await Promise.all([world.client.query(shop), twin.client.query(shop)]);
  }, 120_000);
  afterEach(() => Promise.all([world.close(), twin.close()]));

  test.each(
    those([
      ['a column with indexes, a check, statistics, grants and views', 'amount', 'total'],
      ['a column with a foreign key', 'customer_id', 'buyer_id'],
      ['a column with a unique constraint that others refer to', 'code', 'reference'],
      ['a column with a computed default', 'placed', 'placed_at'],
      ['the primary key with its sequence', 'id', 'order_id'],
      ['a column on which little hangs', 'note', 'remark'],
    ]),
  )('a rename of %s leaves the catalog as RENAME COLUMN does', async (_, from, to) => {
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

  test.each(
    those([
      ['a column with indexes, a check, statistics, grants and a default', 'amount', 'bigint', 'count'],
      ['a column with a foreign key', 'customer_id', 'bigint', 'count'],
      ['a column with a unique constraint that others refer to', 'code', 'text', 'refuse'],
      ['the primary key with its sequence, to which others refer', 'id', 'bigint', 'refuse'],
    ] as const),
  )('a swap of %s leaves the catalog as ALTER COLUMN TYPE does', async (_, column, type, misfits) => {
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
