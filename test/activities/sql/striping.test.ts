import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startPostgres } from '../../../tools/postgres/server.ts';
import type { BackfillFacts } from '../../../contracts/activities.ts';
import type { TablePlan } from '../../../contracts/plan.ts';
import { SqlWorld, stageOf } from '../../support/sql-world.ts';

const rows = 60_000;

/** A server of its own: what holds pruning back in one database by a slot holds it back in all of them. */
describe('passes in stripes', () => {
  let folder: string;
  let server: Awaited<ReturnType<typeof startPostgres>>;
  let world: SqlWorld;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lakeshift-striping-'));
    server = await startPostgres({
      dataDir: join(folder, 'data'),
      settings: { fsync: 'off', max_prepared_transactions: '5', autovacuum: 'off' },
    });
  });
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    world = await SqlWorld.open({ server: server.url });
    await world.payments(rows);
  });
  afterEach(() => world.close());

  test('pay where nobody holds pruning back, and how well stands in the target', async () => {
    const plan = await world.expanded();
    const facts = await world.backfill(plan);
    expect(facts).toMatchObject({ finished: true, rows, notes: [] });
    expect(facts.hotShare).toBeGreaterThan(0.7);
    const kept = await world.rows<{ hot: number }>(`SELECT hot::int FROM lakeshift.progress WHERE stage = 'backfill'`);
    expect((kept[0]?.hot ?? 0) / rows).toBeCloseTo(facts.hotShare ?? 0, 2);
  });

  test('pay for a table without a key too', async () => {
    await world.client.query('ALTER TABLE payments DROP CONSTRAINT payments_pkey');
    const facts = await world.backfill(await world.expanded());
    expect(facts).toMatchObject({ finished: true, rows });
    expect(facts.hotShare).toBeGreaterThan(0.6);
  });

  test('are left while a long transaction holds pruning back, and taken up again when it is over', async () => {
    const plan = await world.expanded();
    const application = await world.application();
    await application.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
    await heldBack(world, plan, 'a transaction of shop holds pruning back', () => application.query('COMMIT'));
  });

  test('are left while a prepared transaction holds pruning back, and taken up again when it is over', async () => {
    const plan = await world.expanded();
    await world.superuser.query(`BEGIN; CREATE TABLE other (); PREPARE TRANSACTION 'forgotten'`);
    await heldBack(world, plan, /a prepared transaction of \w+ holds pruning back/, () =>
      world.superuser.query(`COMMIT PREPARED 'forgotten'`),
    );
  });

  test('are left while a slot that nobody uses holds pruning back, and taken up again when it is dropped', async () => {
    const plan = await world.expanded();
    await abandonSlot(server.url, 'old_replica');
    const drop = (): Promise<unknown> => world.superuser.query(`SELECT pg_drop_replication_slot('old_replica')`);
    await heldBack(world, plan, 'replication slot old_replica, which nobody uses holds pruning back', drop);
  });
});

/** Runs a backfill slowly, lets go once it is in plain order, and on again at full speed once it is in stripes. */
async function heldBack(world: SqlWorld, plan: TablePlan, who: string | RegExp, letGo: () => Promise<unknown>) {
  const stage = { ...stageOf(plan, 'backfill'), rate: 10_000 };
  const site = world.site();
  const running = world.run('backfill', { site, stage, rows });
  const shown = (): boolean => world.told.at(-1)?.pace.includes('in plain order') === true;
  await until(running, () => shown());
  await letGo();
  await until(running, () => !shown());
  await world.run('steer', { site, paused: false, rate: 1_000_000 });
  const facts = await running;
  expect(facts).toMatchObject({ finished: true, rows });
  expect(facts.notes).toHaveLength(2);
  expect(facts.notes?.[0]).toMatch(who);
  expect(facts.notes?.[1]).toBe('pruning goes on: in stripes again');
  expect(await world.verify(plan)).toMatchObject({ seen: rows, wrong: 0 });
}

/** Waits for a condition; a backfill that has ended will not bring it about any more. */
async function until(running: Promise<BackfillFacts>, condition: () => boolean): Promise<void> {
  const state = { over: false };
  void running.finally(() => (state.over = true)).catch(() => undefined);
  while (!condition()) {
    if (state.over) throw new Error('the backfill has ended before');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Makes a slot as a replica with hot standby feedback leaves it behind when it is switched off. */
async function abandonSlot(url: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, replication: 'true' } as pg.ClientConfig);
  client.on('error', () => undefined);
  await client.connect();
  await client.query(`CREATE_REPLICATION_SLOT ${name} PHYSICAL RESERVE_WAL`);
  const { rows: system } = await client.query<{ xlogpos: string }>('IDENTIFY_SYSTEM');
  const plain = new pg.Client({ connectionString: url });
  await plain.connect();
  const { rows: xmin } = await plain.query<{ xmin: number }>('SELECT txid_current()::int AS xmin');
  // what the library keeps to itself: the raw connection, for a protocol that it does not speak
  const { connection } = client as unknown as {
    connection: {
      query(sql: string): void;
      sendCopyFromChunk(chunk: Buffer): void;
      once(event: string, then: () => void): void;
    };
  };
  const streaming = new Promise<void>((resolve) => {
    connection.once('copyBothResponse', resolve);
    connection.once('replicationStart', resolve);
  });
  connection.query(`START_REPLICATION SLOT ${name} PHYSICAL ${system[0]?.xlogpos ?? ''}`);
  await streaming;
  const feedback = Buffer.alloc(25);
  feedback.write('h', 0);
  feedback.writeUInt32BE(xmin[0]?.xmin ?? 0, 9);
  connection.sendCopyFromChunk(feedback);
  const seen = async (): Promise<boolean> =>
    (await plain.query<{ held: boolean }>('SELECT xmin IS NOT NULL AS held FROM pg_replication_slots')).rows[0]
      ?.held === true;
  while (!(await seen())) await new Promise((resolve) => setTimeout(resolve, 50));
  await client.end().catch(() => undefined);
  await plain.end();
}
