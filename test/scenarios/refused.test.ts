import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { RealService } from '../support/real-service.ts';
import { temporalAddress } from '../support/servers.ts';
import { centsSpec } from '../support/sql-world.ts';

describe('what is refused', () => {
  let service: RealService;
  beforeAll(async () => {
    service = await RealService.start();
    await service.payments(100_000);
  }, 60_000);
  afterAll(() => service.stop(), 60_000);

  const columns = async (): Promise<unknown> =>
    (
      await service.shop.query(
        `SELECT attname::text FROM pg_attribute WHERE attrelid = 'payments'::regclass AND attnum > 0 ORDER BY attnum`,
      )
    ).rows;

  /** Everything that Temporal and the ledger keep of a deployment, as one text. */
  async function everythingKept(id: string): Promise<string> {
    const connection = await Connection.connect({ address: temporalAddress() });
    const history = await new Client({ connection }).workflow.getHandle(id).fetchHistory();
    await connection.close();
    const payloads: string[] = [];
    JSON.stringify(history, (key, value: unknown) => {
      if (key === 'data' && value instanceof Uint8Array) payloads.push(Buffer.from(value).toString('utf8'));
      return value;
    });
    const ledger = new pg.Client({ connectionString: service.surroundings.ledgerUrl });
    await ledger.connect();
    const tables = await ledger.query<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'lakeshift_ledger'`,
    );
    const kept: string[] = [];
    for (const { name } of tables.rows)
      kept.push(JSON.stringify((await ledger.query(`SELECT * FROM lakeshift_ledger."${name}"`)).rows));
    await ledger.end();
    return [JSON.stringify(history), ...payloads, ...kept].join('\n');
  }

  test('a conversion that fails on three rows ends in preflight, with their keys, never their values, and nothing touched', async () => {
    await service.shop.query(
      `UPDATE payments SET note = id::text; UPDATE payments SET note = 'planted-secret-' || id WHERE id IN (17, 50000, 99999)`,
    );
    const before = await columns();
    const spec = {
      ...centsSpec,
      name: 'notes',
      changes: [{ type: 'note', to: 'note_number int', up: 'note::int', down: 'note_number::text' }],
    };
    const { status } = await service.deploy(spec, 'notes');
    const view = await service.reaches(status.id, 'refused', 'needs-attention', 'rolled-back');
    expect(view.status.phase).toBe('refused');
    const finding = view.status.progress.findings.find(({ code }) => code === 'CONVERSION_FAILS');
    expect(finding).toMatchObject({ level: 'refused', count: 3 });
    expect([...(finding?.keys ?? [])].sort()).toEqual(['17', '50000', '99999']);
    expect(await columns()).toEqual(before);
    const kept = await everythingKept(status.id);
    expect(kept).toContain('CONVERSION_FAILS');
    expect(kept).toContain('99999');
    expect(kept).not.toContain('planted-secret');
    expect(kept).not.toContain(new URL(service.surroundings.shopUrl).password);
  }, 120_000);

  test.each([
    ['table', { table: 'public.payment' }, '/table', 'public.payments'],
    ['column', { changes: [{ ...centsSpec.changes[0], type: 'amout' }] }, '/changes/0/type', 'amount'],
    ['target', { target: 'shopp' }, '/target', 'shop'],
    ['strategy', { strategy: 'expand-contrct' }, '/strategy', 'expand-contract'],
    ['field', { onFailur: 'park' }, '/onFailur', 'onFailure'],
    [
      'column in an expression',
      { changes: [{ ...centsSpec.changes[0], up: 'round(amoun * 100)' }] },
      '/changes/0/up',
      'amount',
    ],
  ])('an unknown %s is named with the nearest one that exists', async (_, over, pointer, near) => {
    const { status, body } = await service.post('/v1/deployments', { ...centsSpec, ...over });
    expect(status).toBe(422);
    const { errors } = body as { errors: { pointer: string; didYouMean?: string }[] }; // RFC 9457 with our extension
    expect(errors.find((error) => error.pointer === pointer)?.didYouMean).toBe(near);
  });

  test('five mistakes in one spec are five problems at once', async () => {
    const wrong = {
      name: 'A B',
      strategy: 'big-bang',
      target: 'nowhere',
      table: 'payments',
      changes: [{ type: 'amount', to: 'amount_cents bigint', up: '(', down: '1' }],
    };
    const { status, body } = await service.post('/v1/deployments', wrong);
    expect(status).toBe(422);
    const { errors } = body as { errors: { pointer: string }[] }; // RFC 9457 with our extension
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual([
      '/changes/0/up',
      '/name',
      '/strategy',
      '/table',
      '/target',
    ]);
  });

  test.each([
    ['reads another table', '(SELECT count(*) FROM pg_class)'],
    ['sleeps', 'pg_sleep(1)::text::bigint'],
    ['is not immutable', 'extract(epoch FROM now())'],
    ['is an aggregate', 'sum(amount)'],
    ['is a set', 'generate_series(1, 2)'],
    ['reads a setting', `current_setting('port')::int`],
    ['draws from a sequence', `nextval('payments_id_seq')`],
  ])('an expression that %s', async (_, up) => {
    const { status, body } = await service.post('/v1/plans', {
      ...centsSpec,
      changes: [{ ...centsSpec.changes[0], up }],
    });
    expect({ status, body }).toMatchObject({ status: 422, body: { errors: [{ pointer: '/changes/0/up' }] } });
  });
});
