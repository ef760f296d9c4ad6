import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { DeploymentPage, DeploymentView, Report } from '../../contracts/api.ts';
import type { DeploymentEvent } from '../../contracts/events.ts';
import type { RebuildReport } from '../../cli/ledger/rebuild.ts';
import { lakeshift, type Ran } from '../cli/support/run.ts';
import { RealService } from '../support/real-service.ts';
import { postgresUrl } from '../support/servers.ts';
import { centsSpec } from '../support/sql-world.ts';

/** The tests of this file are chapters: each goes on where the one before has ended. */
describe('a ledger whose database is gone', () => {
  let service: RealService;
  let folder: string;
  const ids = { grace: '', backfill: '', ended: '' };
  const before: Record<string, DeploymentView> = {};

  const cents = {
    ...centsSpec,
    name: 'in-grace',
    cutover: { approve: true },
    contract: { after: '2h', approve: true },
  };
  const added = (name: string, more: object) => ({
    name,
    strategy: 'expand-contract',
    target: 'shop',
    table: `public.${name.replace('-', '_')}`,
    changes: [{ add: 'copy text', up: 'note' }],
    contract: { after: '1s' },
    ...more,
  });
  const slow = added('slow-fill', { backfill: { rate: 20 } });
  const quick = added('quick-fill', {});

  beforeAll(async () => {
    service = await RealService.start();
    folder = await mkdtemp(join(tmpdir(), 'lakeshift-lost-'));
    await service.payments(3_000);
    for (const table of ['slow_fill', 'quick_fill']) {
      await service.shop.query(`CREATE TABLE ${table} AS TABLE payments; ALTER TABLE ${table} ADD PRIMARY KEY (id)`);
      await service.shop.query(`VACUUM ANALYZE ${table}`);
    }
    ids.ended = (await service.deploy(quick, 'quick')).status.id;
    ids.grace = (await service.deploy(cents, 'cents')).status.id;
    await service.reaches(ids.ended, 'deployed');
    await service.reaches(ids.grace, 'waiting-for-approval');
    await service.approve(ids.grace);
    await service.reaches(ids.grace, 'in-grace');
    ids.backfill = (await service.deploy(slow, 'slow')).status.id;
    await service.until('the first rows', async () => ((await service.view(ids.backfill)).live?.rows ?? 0) > 0 || null);
    for (const id of Object.values(ids)) before[id] = await service.view(id);
  }, 120_000);
  afterAll(async () => {
    await service.stop();
    await rm(folder, { recursive: true });
  }, 60_000);

  const run = (...args: readonly string[]): Promise<Ran> => lakeshift(['ledger', ...args], { env: service.env });
  const get = async <T>(path: string): Promise<T> => {
    const response = await fetch(`${service.address}${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T; // what the API's own schema promises
  };
  const report = (id: string): Promise<Report> => get(`/v1/deployments/${id}/report`);
  /** All events to the end of the stream. */
  const events = async (id: string): Promise<readonly DeploymentEvent[]> => {
    const text = await (await fetch(`${service.address}/v1/deployments/${id}/events`)).text();
    const messages = [...text.matchAll(/^id: .*\nevent: .*\ndata: (.*)$/gm)];
    return messages.map(([, data = '']) => JSON.parse(data) as DeploymentEvent); // the contract of the stream
  };

  async function lose(): Promise<void> {
    const { pathname, username } = new URL(service.surroundings.ledgerUrl);
    const name = pathname.slice(1);
    const admin = new pg.Client({ connectionString: postgresUrl() });
    await admin.connect();
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await admin.query(`CREATE DATABASE ${name}`);
    await admin.query(`GRANT CONNECT, CREATE ON DATABASE ${name} TO ${username}`);
    await admin.end();
  }

  test('is empty once it is there again, and says so instead of making something up', async () => {
    await lose();
    expect(await run('migrate')).toMatchObject({
      code: 0,
      out: expect.stringContaining('0001-deployments') as unknown,
    });
    const page = await service.until('the API to come back to its ledger', () =>
      get<DeploymentPage>('/v1/deployments'),
    );
    expect(page.deployments.filter(({ id }) => id === ids.grace || id === ids.ended)).toEqual([]);
  });

  test('gets back what Temporal still has, while the service runs', async () => {
    const { code, out } = await run('rebuild', '--json');
    const rebuilt = JSON.parse(out) as RebuildReport;
    expect([code, rebuilt.unanswered]).toEqual([0, []]);
    const ours = rebuilt.deployments.filter(({ id }) => Object.values(ids).includes(id));
    expect(ours.map(({ id }) => id).sort()).toEqual(Object.values(ids).sort());
    expect(ours.every(({ lostEvents }) => lostEvents > 0)).toBe(true);
  }, 60_000);

  test('shows them as they were: in the list, by themselves, and in their reports', async () => {
    const { deployments } = await get<DeploymentPage>('/v1/deployments');
    expect(deployments.map(({ id }) => id).sort()).toEqual(Object.values(ids).sort());
    for (const id of [ids.grace, ids.ended]) {
      expect((await service.view(id)).status).toEqual(before[id]?.status);
      expect((await report(id)).decisions.map(({ kind }) => kind)).toContain('rebuilt');
    }
    expect((await service.view(ids.backfill)).status).toMatchObject({
      phase: 'backfilling',
      stage: 'backfill',
      rate: 20,
    });
    expect((await report(ids.grace)).approvals).toMatchObject([{ stage: 'cutover', by: 'tester', reason: 'a test' }]);
    expect((await report(ids.grace)).plan.hash).toBe(before[ids.grace]?.status.planHash);
  });

  test('is the same after a second rebuild', async () => {
    const first = await report(ids.grace);
    const { code, out } = await run('rebuild');
    expect([code, out]).toEqual([0, expect.stringMatching(/in-grace +was there\n/)]);
    expect(await report(ids.grace)).toEqual(first);
  }, 60_000);

  test('the same requests find the same deployments again', async () => {
    for (const [spec, key, id] of [
      [cents, 'cents', ids.grace],
      [slow, 'slow', ids.backfill],
      [quick, 'quick', ids.ended],
    ] as const) {
      const answer = await service.post('/v1/deployments', spec, { 'idempotency-key': key });
      expect(answer).toMatchObject({ status: 200, body: { status: { id } } });
    }
  });

  test('the deployments go on to their end, and their events are numbered on', async () => {
    expect((await service.order(ids.backfill, 'set-rate', { rowsPerSecond: 1_000_000 })).status).toBe(200);
    const planHash = (await service.view(ids.grace)).status.planHash;
    expect((await service.order(ids.grace, 'skip', { planHash })).status).toBe(200);
    await service.reaches(ids.grace, 'waiting-for-approval');
    await service.approve(ids.grace);
    await service.reaches(ids.grace, 'deployed');
    await service.reaches(ids.backfill, 'deployed');
    for (const id of Object.values(ids)) {
      const told = await events(id);
      const [first] = told;
      const numbers = told.map(({ seq }) => seq);
      expect(first).toMatchObject({ kind: 'rebuilt', data: { from: 1, to: first?.seq } });
      expect(numbers).toEqual(numbers.map((_, index) => (first?.seq ?? 0) + index));
      expect(told.at(-1)?.kind).toBe('ended');
    }
    const { approvals, outcome } = await report(ids.grace);
    expect(approvals.map(({ stage }) => stage)).toEqual(['cutover', 'contract']);
    expect(outcome).toMatchObject({ phase: 'deployed' });
    const { rows } = await service.shop.query(
      'SELECT count(*)::int AS wrong FROM slow_fill WHERE copy IS DISTINCT FROM note',
    );
    expect(rows).toEqual([{ wrong: 0 }]);
  }, 120_000);

  test('its backup holds no secret, and puts a second loss right without Temporal', async () => {
    const file = join(folder, 'ledger.jsonl');
    expect((await run('backup', file)).code).toBe(0);
    const text = await readFile(file, 'utf8');
    for (const secret of [service.env['APPROVALS_KEY'], new URL(service.surroundings.shopUrl).password]) {
      expect(secret).toMatch(/./);
      expect(text).not.toContain(secret);
    }
    const kept = await report(ids.grace);
    await lose();
    expect((await run('restore', file)).code).toBe(0);
    expect(await service.until('the report', () => report(ids.grace))).toEqual(kept);
    expect((await run('rebuild', '--json')).out).toContain('"deployments": []');
  }, 60_000);
});
