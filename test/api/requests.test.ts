import { Compile } from 'typebox/compile';
import type { Problem } from '../../contracts/api.ts';
import { failures } from '../../contracts/failures.ts';
import { Refusal } from '../../api/problems.ts';
import { ProblemSchema } from '../../api/schemas/problem.ts';
import { by, settings, spec, startService, type Service } from './support/service.ts';

const problemCheck = Compile(ProblemSchema);

describe('requests that cannot be answered as asked', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService(settings({ bodyLimit: 2_048 }));
  });
  afterAll(() => service.close());
  afterEach(() => {
    service.engine.trouble = null;
  });

  const pause = { method: 'POST', url: '/v1/deployments/x-00000000/pause' } as const;
  const cases = [
    ['an address that is not there', 404, 'NOT_FOUND', { url: '/v1/deployment' }],
    ['an address outside of v1', 404, 'NOT_FOUND', { url: '/nothing' }],
    ['a deployment that is not there', 404, 'NOT_FOUND', { url: '/v1/deployments/none-00000000' }],
    ['a method that is not there', 404, 'NOT_FOUND', { method: 'DELETE', url: '/v1/targets' }],
    ['an id that is none', 422, 'REQUEST_INVALID', { url: '/v1/deployments/no_such%20id' }],
    ['a query that nobody knows', 422, 'REQUEST_INVALID', { url: '/v1/deployments?fase=paused' }],
    ['a phase that nobody knows', 422, 'REQUEST_INVALID', { url: '/v1/deployments?phase=pausd' }],
    ['a limit out of bounds', 422, 'REQUEST_INVALID', { url: '/v1/deployments?limit=0' }],
    ['a cursor of somebody else', 422, 'REQUEST_INVALID', { url: '/v1/deployments?cursor=abc' }],
    ['no body', 422, 'REQUEST_INVALID', { ...pause }],
    [
      'an empty body',
      422,
      'REQUEST_INVALID',
      { ...pause, payload: '', headers: { 'content-type': 'application/json' } },
    ],
    [
      'a body that is not JSON',
      422,
      'REQUEST_INVALID',
      { ...pause, payload: '{', headers: { 'content-type': 'application/json' } },
    ],
    [
      'a body of another kind',
      415,
      'MEDIA_TYPE_UNKNOWN',
      { ...pause, payload: 'a', headers: { 'content-type': 'text/plain' } },
    ],
    ['a body that is too large', 413, 'BODY_TOO_LARGE', { ...pause, payload: { reason: 'x'.repeat(3_000) } }],
    ['an order without its fields', 422, 'REQUEST_INVALID', { ...pause, payload: {} }],
    [
      'an order with more fields',
      422,
      'REQUEST_INVALID',
      { ...pause, payload: { stage: 'a', reason: 'b', force: true } },
    ],
    ['an order with null for a text', 422, 'REQUEST_INVALID', { ...pause, payload: { stage: 'a', reason: null } }],
    ['an order with a blank reason', 422, 'REQUEST_INVALID', { ...pause, payload: { stage: 'a', reason: '  ' } }],
  ] as const;

  test.each(cases)('%s: %d %s', async (_, status, code, request) => {
    const answer = await service.app.inject(by('approver', request));
    const problem = answer.json<Problem>();
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(problem).toMatchObject({ code, status, type: `/problems/${code}`, title: failures[code].title });
    expect(problem.instance).toBe(answer.headers['x-request-id']);
    expect([...problemCheck.Errors(problem)]).toEqual([]);
  });

  test('all mistakes of a request are named at once, with the nearest name', async () => {
    const url = '/v1/deployments?phase=pausd&limit=x&fase=1&open=maybe';
    const { errors } = (await service.app.inject(by('viewer', { url }))).json<Problem>();
    expect(errors?.map(({ pointer }) => pointer).sort()).toEqual([
      '/query/fase',
      '/query/limit',
      '/query/open',
      '/query/phase/0',
    ]);
    expect(errors).toContainEqual(expect.objectContaining({ pointer: '/query/phase/0', didYouMean: 'paused' }));
    expect(errors).toContainEqual(expect.objectContaining({ pointer: '/query/fase', didYouMean: 'phase' }));
  });

  test('a type leads to the description of its code', async () => {
    const { type } = (await service.app.inject({ url: '/nothing' })).json<Problem>();
    const answer = await service.app.inject({ url: type });
    expect(answer.json()).toMatchObject({
      code: 'NOT_FOUND',
      family: 'refused',
      runbook: 'docs/runbooks/NOT_FOUND.md',
    });
    expect((await service.app.inject({ url: '/problems/toString' })).statusCode).toBe(404);
  });

  test('a request id that was sent is kept, and one that could forge a log line is not', async () => {
    const kept = await service.app.inject({ url: '/', headers: { 'x-request-id': 'build-4711-step-2' } });
    expect(kept.headers['x-request-id']).toBe('build-4711-step-2');
    const forged = await service.app.inject({ url: '/', headers: { 'x-request-id': 'a b {"level":50}' } });
    expect(forged.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('every log line of a request has its id', async () => {
    const before = service.log().length;
    const { headers } = await service.app.inject(
      by('operator', { method: 'POST', url: '/v1/deployments', payload: spec() }),
    );
    const lines = service.log().slice(before).trim().split('\n');
    expect(lines.length).toBeGreaterThanOrEqual(3);
    for (const line of lines) {
      expect((JSON.parse(line) as { requestId: string }).requestId).toBe(headers['x-request-id']);
    }
  });

  test('a mistake of our own says nothing but its request id', async () => {
    const { lookUp } = { lookUp: service.engine.inspect.bind(service.engine) };
    service.engine.inspect = () => Promise.reject(new TypeError('s3cret: cannot read properties'));
    const answer = await service.app.inject(by('operator', { method: 'POST', url: '/v1/plans', payload: spec() }));
    service.engine.inspect = lookUp;
    expect(answer.statusCode).toBe(500);
    expect(answer.json<Problem>()).toMatchObject({ code: 'INTERNAL', instance: answer.headers['x-request-id'] });
    expect(answer.body).not.toContain('s3cret');
    expect(service.log()).toContain('cannot read properties');
  });

  test('an engine that is away is busy, not broken', async () => {
    service.engine.trouble = new Refusal('ENGINE_UNREACHABLE', 'Temporal does not answer');
    const answer = await service.app.inject(by('operator', { method: 'POST', url: '/v1/plans', payload: spec() }));
    expect(answer.statusCode).toBe(503);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    const ready = await service.app.inject({ url: '/health/ready' });
    expect(ready.statusCode).toBe(503);
    expect(ready.json<Problem>().code).toBe('ENGINE_UNREACHABLE');
    expect((await service.app.inject({ url: '/health/live' })).statusCode).toBe(200);
  });

  test('metrics count by route pattern', async () => {
    await service.app.inject(by('viewer', { url: '/v1/deployments/some-deployment-1234abcd' }));
    const { body } = await service.app.inject({ url: '/metrics' });
    expect(body).toMatch(
      /lakeshift_http_request_duration_seconds_count\{[^}]*route="\/v1\/deployments\/:id"[^}]*\} \d/,
    );
    expect(body).not.toContain('some-deployment');
    expect(body).toContain('process_cpu_seconds_total');
  });
});

test('a ledger that is away is busy, and what its driver said stays in it', async () => {
  const service = await startService();
  await service.lose();
  for (const url of ['/v1/deployments', '/health/ready']) {
    const answer = await service.app.inject(by('viewer', { url }));
    expect(answer.json<Problem>()).toMatchObject({ status: 503, code: 'LEDGER_UNREACHABLE' });
    expect(answer.body).not.toMatch(/database|test_/);
  }
  await service.close();
});

test('requests over the limit get 429 and when to come again; other callers are not touched', async () => {
  const service = await startService(settings({ rateLimit: { max: 3, perMs: 60_000 } }));
  const ask = (role: 'viewer' | 'operator') => service.app.inject(by(role, { url: '/v1/targets' }));
  for (let i = 0; i < 3; i += 1) expect((await ask('viewer')).statusCode).toBe(200);
  const refused = await ask('viewer');
  expect(refused.statusCode).toBe(429);
  expect(refused.json<Problem>().code).toBe('RATE_LIMITED');
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  expect((await ask('operator')).statusCode).toBe(200);
  expect((await service.app.inject({ url: '/health/ready' })).statusCode).toBe(200);
  await service.close();
});

test('guesses at tokens are limited by address', async () => {
  const service = await startService(settings({ rateLimit: { max: 3, perMs: 60_000 } }));
  const guess = (n: number) =>
    service.app.inject({ url: '/v1/targets', headers: { authorization: `Bearer guess-number-${n}-0000` } });
  for (let i = 0; i < 3; i += 1) expect((await guess(i)).statusCode).toBe(401);
  expect((await guess(4)).statusCode).toBe(429);
  await service.close();
});
