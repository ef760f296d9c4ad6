import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startPostgres } from '../../tools/postgres/server.ts';
import { startTemporal } from '../../tools/temporal/server.ts';
import { RealService } from '../support/real-service.ts';
import { centsSpec } from '../support/sql-world.ts';
import { freshDatabase, postgresUrl, temporalAddress } from '../support/servers.ts';

/** Without measuring the application, which is the sessions of the test. */
const spec = (over: object = {}) => ({
  ...centsSpec,
  protect: { probe: false },
  contract: { after: '1s' },
  ...over,
});
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Approves whatever waits until the deployment has ended. */
async function seeThrough(service: RealService, id: string): Promise<string> {
  for (;;) {
    const { status } = await service.reaches(
      id,
      'waiting-for-approval',
      'deployed',
      'rolled-back',
      'refused',
      'needs-attention',
    );
    if (status.phase !== 'waiting-for-approval') return `${status.phase}: ${status.progress.parked?.detail ?? ''}`;
    await service.approve(id);
    await service.until('the approval to count', async () =>
      (await service.view(id)).status.phase === 'waiting-for-approval' ? null : true,
    );
  }
}

const differing = async (service: RealService): Promise<unknown> =>
  (await service.shop.query('SELECT id FROM payments WHERE amount_cents IS DISTINCT FROM (id % 100000)')).rows;

describe('a deployment', () => {
  let service: RealService;
  beforeEach(async () => {
    service = await RealService.start();
  }, 60_000);
  afterEach(() => service.stop(), 60_000);

  test('goes through all its stages and leaves nothing of ours behind', async () => {
    await service.payments(20_000);
    const { status } = await service.deploy(spec({ protect: {} }), 'all');
    expect(await seeThrough(service, status.id)).toBe('deployed: ');
    expect(await differing(service)).toEqual([]);
    const { rows } = await service.shop.query(`SELECT nspname FROM pg_namespace WHERE nspname = 'lakeshift'`);
    expect(rows).toEqual([]);
  }, 120_000);

  test('goes on with the same result when its worker is killed ten times in one backfill', async () => {
    await service.payments(60_000);
    await service.shop.query('CREATE TABLE touched (id bigint)');
    await service.shop.query(
      `CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO touched VALUES (NEW.id); RETURN NULL; END $$`,
    );
    await service.shop.query('CREATE TRIGGER touch AFTER UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION touch()');
    const { status } = await service.deploy(spec({ backfill: { rate: 6_000 } }), 'killed');
    await service.reaches(status.id, 'backfilling');
    for (let kill = 0; kill < 10; kill++) {
      const before = await service.until('progress', () => service.rowsDone());
      await service.until('more rows', async () => ((await service.rowsDone()) > before ? true : null));
      await pause(Math.random() * 200);
      await service.killWorker();
      await service.startWorker();
    }
    expect((await service.view(status.id)).status.phase).toBe('backfilling');
    await service.order(status.id, 'set-rate', { rowsPerSecond: null });
    await service.reaches(status.id, 'waiting-for-approval');
    expect(await service.rowsDone()).toBe(60_000);
    expect((await service.shop.query('SELECT id FROM touched GROUP BY id HAVING count(*) > 1')).rows).toEqual([]);
    expect(await seeThrough(service, status.id)).toBe('deployed: ');
    expect(await differing(service)).toEqual([]);
  }, 300_000);

  test('that is aborted sends its first undo statement within two seconds, even when the worker of the backfill is dead', async () => {
    await service.payments(60_000);
    const { status } = await service.deploy(spec({ backfill: { rate: 2_000 } }), 'aborted');
    await service.until('rows', async () => ((await service.rowsDone()) > 0 ? true : null));
    const first = await service.startWorker();
    await first.stop();
    await service.killWorker();
    await service.startWorker();
    const ordered = Date.now();
    const answer = await service.order(status.id, 'abort');
    expect(answer.status).toBe(200);
    await service.until('the undo', async () => {
      const { rows } = await service.shop.query(
        `SELECT 1 FROM pg_attribute WHERE attrelid = 'payments'::regclass AND attname = 'amount_cents' AND NOT attisdropped`,
      );
      return rows.length === 0 ? true : null;
    });
    expect(Date.now() - ordered).toBeLessThan(2_500);
    expect((await service.reaches(status.id, 'rolled-back')).status.progress.because).toContain('abort by tester');
  }, 120_000);

  test('is one, with one answer, when it is asked for twice at the same time', async () => {
    await service.payments(1_000);
    const answers = await Promise.all([1, 2, 3].map(() => service.post('/v1/deployments', spec())));
    const ids = answers.map(({ body }) => (body as { status?: { id?: string } }).status?.id);
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).toBeDefined();
    expect(answers.map(({ status }) => status).every((status) => status === 200 || status === 201)).toBe(true);
    const other = await service.post('/v1/deployments', spec({ name: 'other', changes: [{ add: 'extra text' }] }));
    expect(other).toMatchObject({ status: 409, body: { code: 'TARGET_TAKEN', holder: ids[0] } });
    const same = await service.post('/v1/deployments', spec({ name: 'same-change' }));
    expect(same).toMatchObject({ status: 409, body: { code: 'TARGET_TAKEN', holder: ids[0] } });
  }, 120_000);
});

test('a restart of PostgreSQL in mid-backfill loses no row', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lakeshift-restart-'));
  const dataDir = join(folder, 'data');
  let server = await startPostgres({ dataDir });
  const port = server.port;
  const own = (database: string): string => Object.assign(new URL(server.url), { pathname: `/${database}` }).href;
  const admin = new pg.Client({ connectionString: server.url });
  await admin.connect();
  await admin.query('CREATE DATABASE shop');
  await admin.query('CREATE DATABASE ledger');
  await admin.end();
  const service = await RealService.start({
    temporal: temporalAddress(),
    ledgerUrl: own('ledger'),
    shopUrl: own('shop'),
    drop: () => Promise.resolve(),
  });
  try {
    await service.payments(40_000);
    const { status } = await service.deploy(spec({ backfill: { rate: 8_000 } }), 'restart');
    await service.until('rows', async () => ((await service.rowsDone()) > 2_000 ? true : null));
    await server.stop();
    server = await startPostgres({ dataDir, port });
    await service.until('the service is back', async () =>
      (await service.view(status.id)).status.phase === 'backfilling' ? true : null,
    );
    expect(await seeThrough(service, status.id)).toBe('deployed: ');
    expect(await differing(service)).toEqual([]);
    expect(postgresUrl()).not.toBe(server.url);
  } finally {
    await service.stop();
    await server.stop();
    await rm(folder, { recursive: true });
  }
}, 240_000);

test('a restart of Temporal in mid-backfill loses neither the deployment nor a row', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lakeshift-temporal-'));
  const dbFile = join(folder, 'temporal.db');
  let server = await startTemporal({ dbFile });
  const port = Number(server.address.split(':').at(-1));
  const [ledger, shop] = await Promise.all([freshDatabase(), freshDatabase()]);
  const drop = async (): Promise<void> => {
    await Promise.all([ledger.drop(), shop.drop()]);
  };
  const service = await RealService.start({
    temporal: server.address,
    ledgerUrl: ledger.url,
    shopUrl: shop.url,
    shopOwnerUrl: shop.ownerUrl,
    drop,
  });
  try {
    await service.payments(40_000);
    const { status } = await service.deploy(spec({ backfill: { rate: 6_000 } }), 'temporal');
    await service.until('rows', async () => ((await service.rowsDone()) > 2_000 ? true : null));
    await server.stop();
    await pause(1_000);
    server = await startTemporal({ dbFile, port });
    expect(await seeThrough(service, status.id)).toBe('deployed: ');
    expect(await differing(service)).toEqual([]);
  } finally {
    await service.stop();
    await server.stop();
    await rm(folder, { recursive: true });
  }
}, 240_000);
