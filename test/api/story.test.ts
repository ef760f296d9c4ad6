import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import pg from 'pg';
import { createActivities } from '../../activities/index.ts';
import type { Engine } from '../../api/engine.ts';
import { createTemporalEngine } from '../../api/temporal-engine.ts';
import { ensureSearchAttributes } from '../../config/index.ts';
import type { DeploymentPage, DeploymentView, Problem, Report } from '../../contracts/api.ts';
import type { DeploymentEvent } from '../../contracts/events.ts';
import { createDependencies } from '../../worker/dependencies.ts';
import { freshDatabase, temporalAddress, workflowBundle } from '../support/servers.ts';
import { by, settings, spec, startServiceWith, type Service } from './support/service.ts';

/** The API, a real Temporal, a real ledger, and a worker on a real table. */
describe('a deployment through the API', () => {
  const taskQueue = `story-${crypto.randomUUID().slice(0, 8)}`;
  const config = settings();
  let target: Awaited<ReturnType<typeof freshDatabase>>;
  let connection: Connection;
  let native: NativeConnection;
  let service: Service<Engine>;
  let stop: () => Promise<void>;

  const engineOn = (engineConnection: Connection, patienceMs = 20_000): Engine =>
    createTemporalEngine({
      client: new Client({ connection: engineConnection }),
      namespace: 'default',
      homeSchema: 'lakeshift',
      searchAttributes: async () => {
        const options = { namespace: 'default', prefix: 'Lakeshift', register: true };
        return (await ensureSearchAttributes(connection, options)).ready ? 'Lakeshift' : null;
      },
      ui: 'http://127.0.0.1:8233',
      patienceMs,
    });

  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    target = await freshDatabase();
    const client = new pg.Client({ connectionString: target.ownerUrl });
    await client.connect();
    await client.query(
      `create table payments (id bigint generated always as identity primary key, amount numeric(12,2) not null)`,
    );
    await client.query(`insert into payments (amount) select i / 100.0 from generate_series(1, 5000) i`);
    await client.query('analyze payments');
    await client.end();

    connection = await Connection.connect({ address: temporalAddress() });
    native = await NativeConnection.connect({ address: temporalAddress() });
    const targets = {
      shop: { dialect: 'postgres', url: target.url, taskQueue },
      lonely: { dialect: 'postgres', url: target.url, taskQueue: `${taskQueue}-lonely` },
    } as const;
    service = await startServiceWith(engineOn(connection), { ...config, targets });
    const full = {
      ...config,
      targets,
      routers: {},
      ledger: { url: service.ledgerUrl },
      log: { level: 'silent' },
    } as const;
    const temporal = { searchAttributes: { prefix: 'Lakeshift', register: true }, ui: '' };
    const dependencies = createDependencies({ ...full, temporal }, () => undefined);
    const worker = await Worker.create({
      connection: native,
      taskQueue,
      workflowBundle: workflowBundle(),
      activities: { ...createActivities(dependencies.activities) },
      maxHeartbeatThrottleInterval: 100,
    });
    const run = worker.run();
    stop = async () => {
      worker.shutdown();
      await run;
      await dependencies.close();
    };
  });
  afterAll(async () => {
    await stop();
    await service.close();
    await native.close();
    await connection.close();
    await target.drop();
  });

  const ask = (role: 'viewer' | 'operator' | 'approver', url: string, payload?: object) =>
    service.app.inject(by(role, payload === undefined ? { url } : { url, payload, method: 'POST' as const }));
  const wish = spec({ contract: { after: '1s', approve: 'dba', notBy: 'author' } });
  let id: string;

  test('is planned without being started', async () => {
    const answer = await ask('operator', '/v1/plans', wish);
    expect(answer.statusCode).toBe(200);
    expect(answer.json<{ plan: { stages: { name: string }[] } }>().plan.stages.map(({ name }) => name)).toContain(
      'backfill',
    );
  });

  test('is refused by name when the table is not there', async () => {
    const answer = await ask('operator', '/v1/plans', { ...wish, table: 'public.payment' });
    expect(answer.json<Problem>()).toMatchObject({
      code: 'PLAN_REFUSED',
      errors: [{ pointer: '/table', didYouMean: 'public.payments' }],
    });
  });

  test('is started once, though it is asked for five times at the same moment', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask('operator', '/v1/deployments', wish)));
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    for (const { statusCode } of answers) expect([200, 201]).toContain(statusCode);
    id = answers[0]?.json<DeploymentView>().status.id ?? '';
    const { deployments } = (await ask('viewer', '/v1/deployments')).json<DeploymentPage>();
    expect(deployments.map((found) => found.id)).toEqual([id]);
  });

  test('holds its table: another one is told who', async () => {
    const answer = await ask('operator', '/v1/deployments', { ...wish, name: 'other' });
    expect(answer.json<Problem>()).toMatchObject({ status: 409, code: 'TARGET_TAKEN', holder: id });
  });

  const waitFor = async (...phases: string[]) => {
    const query = phases.map((phase) => `&for=${phase}`).join('');
    return (await ask('viewer', `/v1/deployments/${id}?wait=30s${query}`)).json<DeploymentView>().status;
  };

  test('waits for somebody who says that the application has moved', async () => {
    const { stage, planHash } = await waitFor('waiting-for-approval', 'needs-attention');
    expect(stage).toBe('cutover');
    const answer = await ask('approver', `/v1/deployments/${id}/approve`, { stage, planHash, reason: 'it has moved' });
    expect(answer.statusCode).toBe(200);
    await waitFor('in-grace', 'contracting', 'needs-attention');
  });

  test('waits for an approval that is bound to plan and evidence, by somebody who may', async () => {
    const status = await waitFor('waiting-for-approval', 'needs-attention');
    expect(status).toMatchObject({ phase: 'waiting-for-approval', stage: 'contract' });
    const { planHash, progress } = status;
    const approval = { stage: 'contract', reason: 'nobody reads it', planHash, evidenceHash: progress.evidence?.hash };

    const early = { ...approval, stage: 'backfill' };
    expect((await ask('approver', `/v1/deployments/${id}/approve`, early)).json<Problem>()).toMatchObject({
      code: 'ORDER_STALE',
      possible: expect.arrayContaining(['approve']) as string[],
    });
    const other = { ...approval, planHash: '0'.repeat(64) };
    expect((await ask('approver', `/v1/deployments/${id}/approve`, other)).json<Problem>().code).toBe('ORDER_INVALID');
    expect((await ask('operator', `/v1/deployments/${id}/approve`, approval)).statusCode).toBe(403);
    expect((await ask('operator', `/v1/deployments/${id}/skip`, approval)).statusCode).toBe(403);

    expect((await ask('approver', `/v1/deployments/${id}/approve`, approval)).statusCode).toBe(200);
    expect(await waitFor('ended')).toMatchObject({ phase: 'deployed', stage: null });
  });

  test('has told everything in its stream', async () => {
    const { body } = await ask('viewer', `/v1/deployments/${id}/events`);
    const events = [...body.matchAll(/^data: (\{"seq".*)$/gm)].map(
      ([, data]) => JSON.parse(data ?? '') as DeploymentEvent,
    );
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events[0]?.kind).toBe('started');
    expect(events.at(-1)?.kind).toBe('ended');
    expect(events.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['stage-began', 'verdict', 'evidence', 'waiting', 'approval', 'ended']),
    );
  });

  test('has a report', async () => {
    const report = (await ask('viewer', `/v1/deployments/${id}/report`)).json<Report>();
    expect(report).toMatchObject({
      phase: 'deployed',
      outcome: { phase: 'deployed' },
      approvals: [
        { stage: 'cutover', by: 'approver-1', reason: 'it has moved' },
        { stage: 'contract', by: 'approver-1', reason: 'nobody reads it' },
      ],
    });
    expect(report.stages.find(({ name }) => name === 'backfill')).toMatchObject({ state: 'done', rows: 5_000 });
  });

  test('asked for again is the same one, and takes no order any more', async () => {
    const again = await ask('operator', '/v1/deployments', wish);
    expect(again.statusCode).toBe(200);
    expect(again.json<DeploymentView>().status).toMatchObject({ id, phase: 'deployed' });
    const pause = await ask('operator', `/v1/deployments/${id}/pause`, { stage: 'contract', reason: 'too late' });
    expect(pause.json<Problem>()).toMatchObject({ status: 409, code: 'ORDER_IMPOSSIBLE' });
  });

  test('can be found in Temporal by its attributes', async () => {
    const client = new Client({ connection });
    const found: string[] = [];
    for (let tries = 0; found.length === 0 && tries < 100; tries += 1) {
      for await (const { workflowId } of client.workflow.list({
        query: `LakeshiftTarget = 'shop' AND LakeshiftPhase = 'deployed' AND WorkflowId = '${id}'`,
      })) {
        found.push(workflowId);
      }
    }
    expect(found).toEqual([id]);
  });

  test('on a task queue without a worker is busy', async () => {
    const hasty = await startServiceWith(engineOn(connection, 300), {
      ...config,
      targets: { lonely: { dialect: 'postgres', url: target.url, taskQueue: `${taskQueue}-lonely` } },
    });
    const answer = await hasty.app.inject(
      by('operator', { method: 'POST', url: '/v1/deployments', payload: { ...wish, target: 'lonely' } }),
    );
    expect(answer.json<Problem>()).toMatchObject({ status: 503, code: 'WORKER_ABSENT' });
    await hasty.close();
  });

  test('without Temporal is busy, and what the ledger knows is still there', async () => {
    const nowhere = Connection.lazy({ address: '127.0.0.1:1', connectTimeout: 300, interceptors: [] });
    const alone = await startServiceWith(engineOn(nowhere, 500), config);
    const preview = await alone.app.inject(by('operator', { method: 'POST', url: '/v1/plans', payload: wish }));
    expect(preview.json<Problem>()).toMatchObject({ status: 503, code: 'ENGINE_UNREACHABLE' });
    expect((await alone.app.inject({ url: '/health/ready' })).json<Problem>().code).toBe('ENGINE_UNREACHABLE');
    expect((await alone.app.inject(by('viewer', { url: '/v1/deployments' }))).statusCode).toBe(200);
    await alone.close();
    await nowhere.close();
  });
});

test('search attributes that may not be registered come with the commands that do it', async () => {
  const connection = await Connection.connect({ address: temporalAddress() });
  const prefix = `P${crypto.randomUUID().slice(0, 4)}`;
  const state = await ensureSearchAttributes(connection, { namespace: 'default', prefix, register: false });
  expect(state.ready).toBe(false);
  expect(state.commands).toHaveLength(8);
  expect(state.commands[6]).toBe(
    `temporal operator search-attribute create --namespace default --name ${prefix}Progress --type Int`,
  );
  const missing = await ensureSearchAttributes(connection, { namespace: 'no-such-namespace', prefix, register: true });
  expect(missing).toMatchObject({ ready: false, because: expect.stringContaining('no-such-namespace') as string });
  await connection.close();
});
