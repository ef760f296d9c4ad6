import { jest } from '@jest/globals';
import { Refusal } from '../../api/problems.ts';
import type { DeploymentView, Problem } from '../../contracts/api.ts';
import type { Plan } from '../../contracts/plan.ts';
import { checkSpec } from '../../decisions/check-spec.ts';
import { planDeployment } from '../../decisions/plan-deployment.ts';
import { tableFacts } from '../support/facts.ts';
import { by, spec, startService, type Service } from './support/service.ts';

/** A plan as this service or another one would make it. */
function planOf(wish: Record<string, unknown>, over: { environment?: string; taskQueue?: string } = {}): Plan {
  const check = checkSpec(wish);
  if (!check.ok || check.spec.strategy !== 'expand-contract') throw new Error('the spec has mistakes');
  const service = {
    environment: 'test',
    homeSchema: 'lakeshift',
    dialect: 'postgres',
    taskQueue: 'lakeshift',
    ...over,
  } as const;
  const made = planDeployment({ spec: check.spec, facts: tableFacts(), ...service });
  if (!made.ok) throw new Error('the plan is refused');
  return made.plan;
}

const hour = 3_600_000;
const unknown = 'f'.repeat(64);

describe('starting the plan that was shown', () => {
  let service: Service;
  let looks = 0;
  beforeEach(async () => {
    service = await startService();
    looks = 0;
    service.engine.inspect = async () => {
      looks += 1;
      return service.engine.facts;
    };
  });
  afterEach(() => service.close());

  const preview = async (body: object = spec()): Promise<Plan> => {
    const answer = await service.app.inject(by('operator', { method: 'POST', url: '/v1/plans', payload: body }));
    return answer.json<{ plan: Plan }>().plan;
  };
  const deploy = (planHash: string, headers: Record<string, string> = {}, body: object = spec()) =>
    service.app.inject(
      by('operator', {
        method: 'POST',
        url: '/v1/deployments',
        payload: body,
        headers: { 'plan-hash': planHash, ...headers },
      }),
    );

  test('starts that very plan and does not look at the target again', async () => {
    const plan = await preview();
    service.engine.facts = tableFacts({ rows: 7 });
    const answer = await deploy(plan.hash);
    expect(answer.statusCode).toBe(201);
    expect(answer.json<DeploymentView>().status.planHash).toBe(plan.hash);
    expect(service.engine.started.map((input) => input.plan)).toEqual([plan]);
    expect(looks).toBe(1);
  });

  test('starts what was shown first, though another plan of the spec was shown since', async () => {
    const first = await preview();
    service.engine.facts = tableFacts({ rows: 7 });
    expect((await preview()).hash).not.toBe(first.hash);
    expect((await deploy(first.hash)).json<DeploymentView>().status.planHash).toBe(first.hash);
  });

  const later = () => Date.now() - hour - 1;
  test.each<[string, RegExp, () => Promise<string>]>([
    ['was never shown', /is not known here/, async () => unknown],
    [
      'was made more than an hour ago',
      /more than an hour ago/,
      async () => {
        await service.writer.savePlan(planOf(spec()), later());
        return planOf(spec()).hash;
      },
    ],
    ['is of another spec', /of another spec, other/, async () => (await preview(spec({ name: 'other' }))).hash],
    [
      'is of the same name and of another spec',
      /of another spec/,
      async () => (await preview(spec({ backfill: { rate: 5 } }))).hash,
    ],
    [
      'was made in another environment',
      /another configuration/,
      async () => {
        const plan = planOf(spec(), { environment: 'production' });
        await service.writer.savePlan(plan, Date.now());
        return plan.hash;
      },
    ],
    [
      'was made for other workers',
      /another configuration/,
      async () => {
        const plan = planOf(spec(), { taskQueue: 'elsewhere' });
        await service.writer.savePlan(plan, Date.now());
        return plan.hash;
      },
    ],
  ])('refuses a plan that %s, and makes no other', async (_, because, hashOfIt) => {
    const hash = await hashOfIt();
    looks = 0;
    const answer = await deploy(hash);
    expect(answer.statusCode).toBe(409);
    expect(answer.json<Problem>()).toMatchObject({ code: 'PLAN_STALE', type: '/problems/PLAN_STALE' });
    expect(answer.json<Problem>().detail).toMatch(because);
    expect([looks, service.engine.started.length]).toEqual([0, 0]);
  });

  test('a plan that was old is fresh again when it is shown again', async () => {
    await service.writer.savePlan(planOf(spec()), later());
    expect((await deploy((await preview()).hash)).statusCode).toBe(201);
  });

  test.each([
    ['of 63 digits', 'a'.repeat(63)],
    ['in capitals', 'A'.repeat(64)],
    ['that is empty', ''],
    ['of two', `${unknown}, ${unknown}`],
  ])('refuses a hash %s as a mistake of the request', async (_, hash) => {
    const answer = await deploy(hash);
    expect(answer.statusCode).toBe(422);
    expect(answer.json<Problem>()).toMatchObject({
      code: 'REQUEST_INVALID',
      errors: [{ pointer: '/headers/plan-hash' }],
    });
  });

  test('names the mistakes of both headers at once', async () => {
    const { errors } = (await deploy('x', { 'idempotency-key': 'two words' })).json<Problem>();
    expect(errors?.map(({ pointer }) => pointer)).toEqual(['/headers/idempotency-key', '/headers/plan-hash']);
  });

  test('named twice is one deployment, also when the plan has become too old meanwhile', async () => {
    const plan = planOf(spec());
    await service.writer.savePlan(plan, Date.now() - hour + 5_000);
    const first = await deploy(plan.hash);
    expect(first.statusCode).toBe(201);
    const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + hour);
    const second = await deploy(plan.hash);
    clock.mockRestore();
    expect(second.statusCode).toBe(200);
    expect(second.json<DeploymentView>().status).toEqual(first.json<DeploymentView>().status);
    expect(service.engine.started).toHaveLength(1);
  });

  test('named ten times at the same moment is one deployment', async () => {
    const { hash } = await preview();
    service.engine.slowMs = 30;
    const answers = await Promise.all(Array.from({ length: 10 }, () => deploy(hash, { 'idempotency-key': 'k1' })));
    for (const { statusCode } of answers) expect([200, 201]).toContain(statusCode);
    // from the engine or from the ledger, which keeps fields in an order of its own
    for (const answer of answers) expect(answer.json()).toEqual(answers[0]?.json());
    expect(service.engine.started).toHaveLength(1);
  });

  test('a deployment that was accepted answers its key, whatever plan is named now', async () => {
    const first = await deploy((await preview()).hash, { 'idempotency-key': 'k1' });
    const again = await deploy(unknown, { 'idempotency-key': 'k1' });
    expect(again.statusCode).toBe(200);
    expect(again.json<DeploymentView>().status).toEqual(first.json<DeploymentView>().status);
  });

  test('does not start another plan that the same key has reserved before', async () => {
    const start = service.engine.start.bind(service.engine);
    service.engine.start = () => Promise.reject(new Refusal('WORKER_ABSENT', 'no worker has answered in time'));
    expect((await deploy((await preview()).hash)).statusCode).toBe(503);
    service.engine.start = start;
    service.engine.facts = tableFacts({ rows: 7 });
    const other = await preview();
    const answer = await deploy(other.hash);
    expect(answer.json<Problem>()).toMatchObject({
      status: 409,
      code: 'KEY_REUSED',
      detail: expect.stringContaining('another plan') as string,
    });
    expect(service.engine.started).toEqual([]);
    expect((await deploy(other.hash, { 'idempotency-key': 'fresh' })).statusCode).toBe(201);
  });

  test('says so when a workflow of an earlier attempt carries out another plan', async () => {
    const earlier = await preview();
    service.engine.facts = tableFacts({ rows: 7 });
    const named = await preview();
    const start = service.engine.start.bind(service.engine);
    service.engine.start = (input) => start({ ...input, plan: earlier });
    const answer = await deploy(named.hash);
    expect(answer.json<Problem>()).toMatchObject({ status: 409, code: 'KEY_REUSED' });
    expect(answer.json<Problem>().detail).toContain(earlier.hash.slice(0, 8));
  });

  test('may be asked again once the table is free', async () => {
    const { hash } = await preview(spec({ name: 'other' }));
    const other = spec({ name: 'other' });
    const holder = (await deploy((await preview()).hash)).json<DeploymentView>().status.id;
    expect((await deploy(hash, {}, other)).json<Problem>()).toMatchObject({ code: 'TARGET_TAKEN', holder });
    service.engine.end(holder);
    expect((await deploy(hash, {}, other)).statusCode).toBe(201);
  });

  test('a plan that cannot be kept is not shown', async () => {
    await service.lose();
    const answer = await service.app.inject(by('operator', { method: 'POST', url: '/v1/plans', payload: spec() }));
    expect(answer.json<Problem>()).toMatchObject({ status: 503, code: 'LEDGER_UNREACHABLE' });
  });
});
