import { randomUUID } from 'node:crypto';
import { Refusal } from '../../api/problems.ts';
import type { DeploymentView, Problem } from '../../contracts/api.ts';
import { tableFacts } from '../support/facts.ts';
import { by, spec, startService, type Service } from './support/service.ts';

describe('starting a deployment', () => {
  let service: Service;
  beforeEach(async () => {
    service = await startService();
  });
  afterEach(() => service.close());

  const post = (body: unknown, headers: Record<string, string> = {}) =>
    service.app.inject(by('operator', { method: 'POST', url: '/v1/deployments', payload: body as object, headers }));

  test('answers 201 with its address and the status that the workflow gave', async () => {
    const answer = await post(spec());
    const view = answer.json<DeploymentView>();
    expect(answer.statusCode).toBe(201);
    expect(view.status.id).toMatch(/^payments-cents-[0-9a-f]{8}$/);
    expect(answer.headers.location).toBe(`/v1/deployments/${view.status.id}`);
    expect(view.status.startedBy).toEqual({ name: 'operator-1', role: 'operator', groups: [], via: 'api' });
    expect(view.links.temporal).toContain(view.status.id);
    const shown = await service.app.inject(by('viewer', { url: answer.headers.location as string }));
    expect(shown.json<DeploymentView>().status).toEqual(view.status);
  });

  test('takes a spec as YAML', async () => {
    const yaml = [
      'name: payments-cents',
      'strategy: expand-contract',
      'target: shop',
      'table: public.payments',
      'changes:',
      '  - { type: amount, to: amount_cents bigint, up: round(amount * 100), down: amount_cents / 100.0 }',
    ].join('\n');
    const payload = { payload: yaml, headers: { 'content-type': 'application/yaml' } };
    const answer = await service.app.inject(by('operator', { method: 'POST', url: '/v1/deployments', ...payload }));
    expect(answer.statusCode).toBe(201);
    expect((await post(spec())).statusCode).toBe(200);
  });

  test('names the line of YAML that cannot be read, and not what stands there', async () => {
    const payload = { payload: 'name: "s3cret\n  - x: [', headers: { 'content-type': 'application/yaml' } };
    const answer = await service.app.inject(by('operator', { method: 'POST', url: '/v1/plans', ...payload }));
    expect(answer.statusCode).toBe(422);
    expect(answer.json<Problem>().code).toBe('REQUEST_INVALID');
    expect(answer.body).toMatch(/line \d/);
    expect(answer.body).not.toContain('s3cret');
  });

  test('knows the metrics sources of the configuration, and names the nearest to one that is not there', async () => {
    const answer = await post(spec({ protect: { metrics: 'shop-promethius', p99: '1.5x' }, tabel: 'x' }));
    const problem = answer.json<Problem>();
    expect(problem.code).toBe('SPEC_INVALID');
    expect(problem.errors).toEqual([
      expect.objectContaining({ pointer: '/tabel', didYouMean: 'table' }),
      expect.objectContaining({ pointer: '/protect/metrics', didYouMean: 'shop-prometheus' }),
    ]);
    const right = await post(spec({ name: 'protected', protect: { metrics: 'shop-prometheus' } }));
    expect(right.statusCode).toBe(201);
  });

  test('names all five mistakes of a spec at once and starts nothing', async () => {
    const answer = await post({
      name: 'Payments Cents',
      strategy: 'expand-contrat',
      target: 'shp',
      table: 'payments',
      chnages: [],
      changes: [],
    });
    const problem = answer.json<Problem>();
    expect(answer.statusCode).toBe(422);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(problem).toMatchObject({ code: 'SPEC_INVALID', type: '/problems/SPEC_INVALID', status: 422 });
    expect(problem.errors?.map(({ pointer }) => pointer).sort()).toEqual([
      '/changes',
      '/chnages',
      '/name',
      '/strategy',
      '/table',
      '/target',
    ]);
    expect(problem.errors).toContainEqual(expect.objectContaining({ pointer: '/target', didYouMean: 'shop' }));
    expect(problem.errors).toContainEqual(expect.objectContaining({ pointer: '/chnages', didYouMean: 'changes' }));
    expect(service.engine.started).toEqual([]);
  });

  test('answers with what the target forbids, by pointer', async () => {
    service.engine.facts = tableFacts({ oid: null, kind: null, columns: [], tablesNearby: ['public.payment'] });
    const answer = await post(spec());
    expect(answer.statusCode).toBe(422);
    expect(answer.json<Problem>()).toMatchObject({ code: 'PLAN_REFUSED', errors: [{ pointer: '/table' }] });
    expect(service.engine.started).toEqual([]);
  });

  test('asked twice gives one deployment', async () => {
    const first = await post(spec());
    const second = await post(spec());
    expect([first.statusCode, second.statusCode]).toEqual([201, 200]);
    expect(second.json<DeploymentView>().status).toEqual(first.json<DeploymentView>().status);
    expect(service.engine.started).toHaveLength(1);
  });

  test('asked ten times at the same moment gives one deployment and one answer', async () => {
    // longer than connections to the ledger take: whoever comes after the first one's answer gets 200
    service.engine.slowMs = 200;
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(spec(), { 'idempotency-key': 'k1' })));
    expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    expect(service.engine.started).toHaveLength(1);
  });

  test('gives another deployment under another key', async () => {
    const first = await post(spec(), { 'idempotency-key': 'k1' });
    service.engine.end(first.json<DeploymentView>().status.id);
    const second = await post(spec(), { 'idempotency-key': 'k2' });
    expect(second.statusCode).toBe(201);
    expect(second.json<DeploymentView>().status.id).not.toBe(first.json<DeploymentView>().status.id);
  });

  test('keeps the keys of callers apart', async () => {
    const mine = await post(spec(), { 'idempotency-key': 'k1' });
    service.engine.end(mine.json<DeploymentView>().status.id);
    const request = {
      method: 'POST',
      url: '/v1/deployments',
      payload: spec(),
      headers: { 'idempotency-key': 'k1' },
    } as const;
    const theirs = await service.app.inject(by('approver', request));
    expect(theirs.statusCode).toBe(201);
    expect(theirs.json<DeploymentView>().status.id).not.toBe(mine.json<DeploymentView>().status.id);
  });

  test.each([
    ['of the same name', spec({ backfill: { rate: 5 } })],
    ['of another name', spec({ name: 'other' })],
  ])('refuses one key for another spec %s', async (_, other) => {
    const key = { 'idempotency-key': randomUUID() };
    const first = (await post(spec(), key)).json<DeploymentView>().status.id;
    const answer = await post(other, key);
    expect(answer.statusCode).toBe(409);
    expect(answer.json<Problem>()).toMatchObject({ code: 'KEY_REUSED', holder: first });
    expect(service.engine.started).toHaveLength(1);
  });

  test('names the deployment that holds the table, and may be asked again once it is free', async () => {
    const holder = (await post(spec())).json<DeploymentView>().status.id;
    const refused = await post(spec({ name: 'other' }));
    expect(refused.statusCode).toBe(409);
    expect(refused.json<Problem>()).toMatchObject({ code: 'TARGET_TAKEN', holder });
    service.engine.end(holder);
    expect((await post(spec({ name: 'other' }))).statusCode).toBe(201);
  });

  test('lists nothing that was refused', async () => {
    await post(spec());
    await post(spec({ name: 'other' }));
    const { deployments } = (await service.app.inject(by('viewer', { url: '/v1/deployments' }))).json<{
      deployments: { name: string }[];
    }>();
    expect(deployments.map(({ name }) => name)).toEqual(['payments-cents']);
  });

  test('keeps its plan while no worker answers, and starts with it later', async () => {
    let looks = 0;
    service.engine.inspect = async () => {
      looks += 1;
      return service.engine.facts;
    };
    const start = service.engine.start.bind(service.engine);
    service.engine.start = () => Promise.reject(new Refusal('WORKER_ABSENT', 'no worker has answered in time'));
    const absent = await post(spec());
    expect(absent.statusCode).toBe(503);
    expect(absent.json<Problem>().code).toBe('WORKER_ABSENT');
    expect(absent.headers['retry-after']).toBeDefined();

    service.engine.start = start;
    expect((await post(spec())).statusCode).toBe(201);
    expect(looks).toBe(1);
  });

  test('answers with what has become of a deployment that has ended', async () => {
    const { status } = (await post(spec())).json<DeploymentView>();
    service.engine.end(status.id);
    const ended = { ...status, phase: 'deployed', changedAt: status.changedAt + 1 } as const;
    await service.writer.record({
      id: status.id,
      status: ended,
      events: [{ seq: 1, at: 1, kind: 'ended', stage: null, text: 'deployed', data: {} }],
    });
    const again = await post(spec());
    expect(again.statusCode).toBe(200);
    expect(again.json<DeploymentView>().status.phase).toBe('deployed');
  });

  test.each([
    ['that is empty', ''],
    ['of two words', 'two words'],
    ['of 201 characters', 'x'.repeat(201)],
    ['with a tab', 'tab\there'],
  ])('refuses a key %s', async (_, key) => {
    const answer = await post(spec(), { 'idempotency-key': key });
    expect(answer.statusCode).toBe(422);
    expect(answer.json<Problem>().errors?.[0]?.pointer).toBe('/headers/idempotency-key');
  });

  test('previews the same plan and starts nothing', async () => {
    const answer = await service.app.inject(by('operator', { method: 'POST', url: '/v1/plans', payload: spec() }));
    const { plan } = answer.json<{ plan: { hash: string } }>();
    expect(answer.statusCode).toBe(200);
    expect(service.engine.started).toEqual([]);
    expect((await post(spec())).json<DeploymentView>().status.planHash).toBe(plan.hash);
  });
});
