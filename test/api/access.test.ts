import { endPhases, orderNames, phases, roles } from '../../contracts/catalog.ts';
import type { Problem } from '../../contracts/api.ts';
import { orderPath, orderRole } from '../../api/routes/orders.ts';
import { by, settings, spec, startService, tokens, type Service } from './support/service.ts';

const order = { stage: 'preflight', reason: 'a test', planHash: '0'.repeat(64), by: '1h', rowsPerSecond: 1 };
const fieldsOf = (name: string) => {
  const { stage, reason, planHash, by: longer, rowsPerSecond } = order;
  if (['approve', 'reject', 'skip'].includes(name)) return { stage, reason, planHash };
  if (name === 'extend') return { stage, reason, by: longer };
  return name === 'setRate' ? { stage, reason, rowsPerSecond } : { stage, reason };
};

/** Every route under /v1, the least role that may use it, and a request that is otherwise right. */
const routes = [
  { method: 'POST', url: '/v1/plans', role: 'operator', payload: spec() },
  { method: 'POST', url: '/v1/deployments', role: 'operator', payload: spec() },
  { method: 'POST', url: '/v1/apply', role: 'operator', payload: { specs: [spec()] } },
  { method: 'GET', url: '/v1/deployments', role: 'viewer' },
  { method: 'GET', url: '/v1/deployments/none-00000000', role: 'viewer' },
  { method: 'GET', url: '/v1/deployments/none-00000000/events', role: 'viewer' },
  { method: 'GET', url: '/v1/deployments/none-00000000/report', role: 'viewer' },
  { method: 'GET', url: '/v1/deployments/none-00000000/eject', role: 'viewer' },
  { method: 'GET', url: '/v1/targets', role: 'viewer' },
  { method: 'GET', url: '/v1/catalog', role: 'viewer' },
  ...orderNames.map((name) => ({
    method: 'POST' as const,
    url: `/v1/deployments/none-00000000/${orderPath(name)}`,
    role: ['approve', 'reject', 'skip'].includes(name) ? ('approver' as const) : ('operator' as const),
    payload: fieldsOf(name),
  })),
] as const;

describe('who may do what', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.close());

  const cases = routes.flatMap((route) => roles.map((role) => ({ ...route, as: role })));
  test.each(cases)('$method $url as $as', async ({ as, role, ...request }) => {
    const answer = await service.app.inject(by(as, request));
    if (roles.indexOf(as) >= roles.indexOf(role)) expect([401, 403, 422]).not.toContain(answer.statusCode);
    else expect(answer.json<Problem>()).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  });

  test('the table names every route that is there', () => {
    const printed = service.app.printRoutes({ commonPrefix: false, method: 'POST' });
    expect(printed.match(/\(POST\)/g)).toHaveLength(routes.filter(({ method }) => method === 'POST').length);
  });

  test('the role of each order is the one that the catalogue tells', async () => {
    const { orders } = (await service.app.inject(by('viewer', { url: '/v1/catalog' }))).json<{
      orders: { name: (typeof orderNames)[number]; role: string }[];
    }>();
    expect(orders.map(({ name, role }) => [name, role])).toEqual(orderNames.map((name) => [name, orderRole(name)]));
  });

  test.each([
    ['no token', {}],
    ['an unknown token', { authorization: 'Bearer someone-elses-token' }],
    ['a token that goes on', { authorization: `Bearer ${tokens.viewer}x` }],
    ['another scheme', { authorization: `Basic ${tokens.viewer}` }],
    ['a claimed name', { 'x-lakeshift-actor': 'dora' }],
  ])('%s is not enough', async (_, headers) => {
    const answer = await service.app.inject({ url: '/v1/targets', headers });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
    expect(answer.json<Problem>().code).toBe('UNAUTHENTICATED');
  });

  test('a claimed name does not stand above a token', async () => {
    const request = { method: 'POST', url: '/v1/deployments', payload: spec({ name: 'claimed' }) } as const;
    const headers = { 'x-lakeshift-actor': 'dora', 'idempotency-key': 'claimed' };
    await service.app.inject(by('operator', { ...request, headers }));
    const names = [...service.engine.started.map(({ startedBy }) => startedBy.name)];
    expect(names).not.toContain('dora');
  });

  test('targets are listed without their addresses', async () => {
    const answer = await service.app.inject(by('viewer', { url: '/v1/targets' }));
    expect(answer.json()).toEqual({
      targets: [
        { name: 'shop', dialect: 'postgres', taskQueue: 'lakeshift' },
        { name: 'k8s-data', dialect: 'kubernetes', taskQueue: 'lakeshift' },
      ],
    });
  });

  test('the catalogue has every name that callers may write', async () => {
    const answer = await service.app.inject(by('viewer', { url: '/v1/catalog' }));
    expect(answer.json()).toMatchObject({ phases: [...phases], endPhases: [...endPhases], roles: [...roles] });
  });

  test.each(['/', '/health/live', '/health/ready', '/metrics', '/openapi.json', '/docs/', '/problems/TARGET_TAKEN'])(
    '%s needs no token',
    async (url) => {
      expect((await service.app.inject({ url })).statusCode).toBe(200);
    },
  );

  test('no token, key or address of a target is in any log line or answer', async () => {
    const answers = await Promise.all(
      routes.map((request) => service.app.inject(by('approver', { ...request, url: `${request.url}?token=q-s3cret` }))),
    );
    const said = service.log() + answers.map(({ body }) => body).join('');
    expect(service.log().length).toBeGreaterThan(1_000);
    for (const secret of [...Object.values(tokens), 's3cret', settings().approvals.key ?? '']) {
      expect(said).not.toContain(secret);
    }
  });
});

describe('the open mode', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService(settings({ open: true, tokens: [] }));
  });
  afterAll(() => service.close());

  const start = (headers: Record<string, string>) =>
    service.app.inject({ method: 'POST', url: '/v1/deployments', payload: spec(), headers });

  test('takes who asks by the name that is claimed', async () => {
    await start({ 'x-lakeshift-actor': 'ann', 'x-lakeshift-groups': 'dba, ml-owner' });
    expect(service.engine.started[0]?.startedBy).toEqual({
      name: 'ann',
      role: 'approver',
      groups: ['dba', 'ml-owner'],
      via: 'api',
    });
  });

  test('calls whoever claims no name local', async () => {
    const answer = await start({ 'idempotency-key': 'another' });
    expect(answer.json<Problem>().code).toBe('TARGET_TAKEN');
    expect(service.log()).toContain('request refused');
  });

  test('answers no request that names another host, so that no web page gets in', async () => {
    const answer = await service.app.inject({ url: '/v1/targets', headers: { host: 'evil.example:7070' } });
    expect(answer.statusCode).toBe(403);
    expect((await service.app.inject({ url: '/v1/targets', headers: { host: '127.0.0.1:7070' } })).statusCode).toBe(
      200,
    );
    expect((await service.app.inject({ url: '/v1/targets', headers: { host: '[::1]:7070' } })).statusCode).toBe(200);
  });

  test('refuses a name that is none', async () => {
    const answer = await start({ 'x-lakeshift-actor': 'two words' });
    expect(answer.json<Problem>().errors?.[0]?.pointer).toBe('/headers/x-lakeshift-actor');
  });
});
