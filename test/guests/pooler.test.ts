import pg from 'pg';
import { startPgBouncer, type PoolMode, type RunningPgBouncer } from '../../tools/pgbouncer/server.ts';
import { SqlWorld, stageOf } from '../support/sql-world.ts';

let world: SqlWorld;
let bouncer: RunningPgBouncer | null = null;
beforeEach(async () => {
  world = await SqlWorld.open();
  await world.payments(3_000);
});
afterEach(async () => {
  await bouncer?.stop();
  bouncer = null;
  await world.close();
});

/** A pooler in front of the world's server; null, with the reason on the screen, where there can be none. */
async function poolerIn(mode: PoolMode, settings: Record<string, string> = {}): Promise<RunningPgBouncer | null> {
  bouncer = await startPgBouncer([world.database.url, world.database.applicationUrl], mode, settings).catch(
    (error: unknown) => {
      process.stderr.write(`not tried: ${error instanceof Error ? error.message : ''}\n`);
      return null;
    },
  );
  return bouncer;
}

describe('through a pooler', () => {
  test.each<[string, PoolMode, Record<string, string>]>([
    ['transactions, the latest session first', 'transaction', {}],
    ['transactions, sessions in turn', 'transaction', { server_round_robin: '1', min_pool_size: '3' }],
    ['statements', 'statement', {}],
  ])('of %s the service refuses to work, in one clear sentence', async (_, mode, settings) => {
    const pooler = await poolerIn(mode, settings);
    if (pooler === null) return;
    if (settings['min_pool_size'] !== undefined) await warmUp(pooler);
    const plan = await world.plan();
    world.address = pooler.through(world.database.url);
    const pooled = {
      type: 'TARGET_POOLED',
      message: "the address of target shop leads to a transaction pooler; give the worker the server's own address",
      nonRetryable: true,
    };
    await expect(world.run('look', { target: 'shop', statements: [], mode: 'read-only' })).rejects.toMatchObject(
      pooled,
    );
    await expect(world.run('claim', { site: world.site(), plan })).rejects.toMatchObject(pooled);
    expect(await world.rows(`SELECT 1 FROM pg_namespace WHERE nspname = 'lakeshift'`)).toEqual([]);
  });

  test('of sessions the service works', async () => {
    const pooler = await poolerIn('session');
    if (pooler === null) return;
    world.address = pooler.through(world.database.url);
    const plan = await world.expanded();
    await expect(world.backfill(plan)).resolves.toMatchObject({ finished: true, rows: 3_000 });
    await expect(world.verify(plan)).resolves.toMatchObject({ finished: true, wrong: 0 });
  });

  test('of transactions the application goes its way while the service works beside it', async () => {
    const pooler = await poolerIn('transaction');
    if (pooler === null) return;
    const pool = new pg.Pool({ connectionString: pooler.through(world.database.applicationUrl), max: 8 });
    const errors: unknown[] = [];
    let done = false;
    let requests = 0;
    const clients = [1, 2, 3, 4].map(async (client) => {
      for (let i = 0; !done; i++) {
        const id = (client * 701 + i * 13) % 3_000;
        await pool
          .query('UPDATE payments SET amount = amount + 1 WHERE id = $1', [id])
          .catch((error: unknown) => errors.push(error));
        await pool
          .query('SELECT id, amount FROM payments WHERE id = $1', [id])
          .catch((error: unknown) => errors.push(error));
        requests += 2;
      }
    });
    const plan = await world.expanded();
    const after = requests;
    while (requests < after + 200) await new Promise((resolve) => setTimeout(resolve, 5));
    await world.backfill(plan);
    await world.run('alter', { site: world.site(), stage: 'cutover', alteration: stageOf(plan, 'cutover').perform });
    const cut = requests;
    while (requests < cut + 200) await new Promise((resolve) => setTimeout(resolve, 5));
    done = true;
    await Promise.all(clients);
    await pool.end();
    expect(errors).toEqual([]);
    await expect(world.verify(plan)).resolves.toMatchObject({ wrong: 0 });
  });
});

/** Several server sessions in the pool, so that they can be handed out in turn. */
async function warmUp(pooler: RunningPgBouncer): Promise<void> {
  const clients = [1, 2, 3].map(() => new pg.Client({ connectionString: pooler.through(world.database.url) }));
  await Promise.all(clients.map((client) => client.connect()));
  await Promise.all(clients.map((client) => client.query('BEGIN')));
  await Promise.all(clients.map((client) => client.query('COMMIT')));
  await Promise.all(clients.map((client) => client.end()));
}
