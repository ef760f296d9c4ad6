import type { DeploymentView } from '../../contracts/api.ts';
import type { TableSpec } from '../../contracts/spec.ts';
import { RealService } from '../support/real-service.ts';

describe('a column that takes another one’s place', () => {
  let service: RealService;
  beforeAll(async () => {
    service = await RealService.start();
  }, 60_000);
  afterAll(() => service.stop(), 60_000);

  const spec = (name: string, changes: TableSpec['changes']): TableSpec => ({
    name,
    strategy: 'expand-contract',
    target: 'shop',
    table: 'public.orders',
    changes,
    cutover: { accept: 'prepared-statement-errors' },
    contract: { after: '1s' },
  });
  const one = async (sql: string): Promise<unknown> => (await service.shop.query(sql)).rows[0];
  beforeEach(() =>
    service.shop.query(`DROP TABLE IF EXISTS lines, orders CASCADE;
      CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, amount int NOT NULL CHECK (amount > 0));
      CREATE TABLE lines (order_id int NOT NULL REFERENCES orders, line int, PRIMARY KEY (order_id, line));
      CREATE INDEX orders_amount ON orders (amount);
      CREATE VIEW large AS SELECT id, amount FROM orders WHERE amount > 50;
      INSERT INTO orders (amount) SELECT 1 + g % 100 FROM generate_series(1, 2000) g;
      INSERT INTO lines SELECT id, 1 FROM orders; ANALYZE orders`),
  );

  test('int to bigint of a primary key to which others refer: deployed, and the numbers go on beyond the old type', async () => {
    const { status } = await service.deploy(
      spec('orders-id', [{ type: 'id', to: 'id bigint', misfits: 'refuse' }]),
      'orders-id',
    );
    await service.reaches(status.id, 'waiting-for-approval');
    await service.approve(status.id);
    await service.until('the contract', async () => {
      const view = await service.view(status.id);
      return view.status.stage === 'contract' && view.status.phase === 'waiting-for-approval' ? view : null;
    });
    await expect(service.shop.query(`SELECT setval('orders_id_seq', 2147483646)`)).resolves.toBeDefined();
    await service.shop.query('INSERT INTO orders (amount) VALUES (1)');
    await expect(service.shop.query('INSERT INTO orders (amount) VALUES (1)')).rejects.toThrow('does not fit');
    await service.approve(status.id);
    const view = await service.reaches(status.id, 'deployed', 'needs-attention');
    expect(view.status.phase).toBe('deployed');
    expect(await one('INSERT INTO orders (amount) VALUES (99) RETURNING id')).toEqual({ id: '2147483649' });
    expect(await one('SELECT amount FROM large ORDER BY id DESC LIMIT 1')).toEqual({ amount: 99 });
    expect(await one(`SELECT pg_typeof(id)::text AS type FROM large LIMIT 1`)).toEqual({ type: 'bigint' });
    await expect(service.shop.query('INSERT INTO lines VALUES (-5, 1)')).rejects.toThrow('lines_order_id_fkey');
    expect(await one(`SELECT count(*)::int AS ours FROM pg_class WHERE relname LIKE '%lakeshift%'`)).toEqual({
      ours: 0,
    });
  }, 180_000);

  test('a rename that is rolled back in its grace leaves nothing behind', async () => {
    const { status } = await service.deploy(
      { ...spec('orders-total', [{ rename: 'amount', to: 'total' }]), contract: { after: '1h' } },
      'orders-total',
    );
    await service.reaches(status.id, 'waiting-for-approval');
    expect(await one('SELECT total FROM orders WHERE id = 7')).toEqual({ total: 8 });
    await service.approve(status.id);
    await service.reaches(status.id, 'in-grace');
    await service.shop.query('INSERT INTO orders (total) VALUES (77)');
    await service.order(status.id, 'rollback');
    await service.reaches(status.id, 'rolled-back');
    expect(await one('SELECT count(*)::int AS n FROM orders WHERE amount = 77')).toEqual({ n: 21 });
    expect(
      await one(
        `SELECT string_agg(attname, ' ' ORDER BY attnum) AS names FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attnum > 0 AND NOT attisdropped`,
      ),
    ).toEqual({ names: 'id amount' });
  }, 180_000);

  test('an index that somebody makes after the plan ends it in preflight: it would have been lost', async () => {
    const shown = await service.post('/v1/plans', spec('orders-late', [{ rename: 'amount', to: 'total' }]));
    expect(shown.status).toBe(200);
    const { hash } = (shown.body as { plan: { hash: string } }).plan; // what the API's own schema promises
    await service.shop.query('CREATE INDEX late ON orders (amount, id)');
    const started = await service.post('/v1/deployments', spec('orders-late', [{ rename: 'amount', to: 'total' }]), {
      'idempotency-key': 'late',
      'plan-hash': hash,
    });
    expect(started.status).toBe(201);
    const view = await service.reaches((started.body as DeploymentView).status.id, 'refused', 'needs-attention');
    expect(view.status.progress.findings).toContainEqual(
      expect.objectContaining({ code: 'DEPENDENT_CHANGED', detail: expect.stringContaining('index late') as string }),
    );
  }, 60_000);
});
