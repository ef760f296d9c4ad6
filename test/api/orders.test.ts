import { createApprovalActivities } from '../../activities/approvals/index.ts';
import type { DeploymentView, Problem } from '../../contracts/api.ts';
import type { ApprovalOrder } from '../../contracts/messages.ts';
import { Refusal } from '../../api/problems.ts';
import { by, settings, spec, startService, type Service } from './support/service.ts';

describe('orders', () => {
  let service: Service;
  let id: string;
  let planHash: string;
  beforeEach(async () => {
    service = await startService();
    const answer = await service.app.inject(
      by('operator', { method: 'POST', url: '/v1/deployments', payload: spec() }),
    );
    ({ id, planHash } = answer.json<DeploymentView>().status);
  });
  afterEach(() => service.close());

  const order = (path: string, fields: object = {}, headers: Record<string, string> = {}, at = id) =>
    service.app.inject(
      by('approver', {
        method: 'POST',
        url: `/v1/deployments/${at}/${path}`,
        payload: { stage: 'preflight', reason: 'the test says so', ...fields },
        headers,
      }),
    );

  test('carry actor, reason and expected stage, and answer with the status after them', async () => {
    const answer = await order('pause');
    expect(answer.statusCode).toBe(200);
    expect(answer.json<DeploymentView>().status).toMatchObject({ id, paused: true });
    expect(service.engine.orders).toEqual([
      {
        id,
        name: 'pause',
        order: {
          actor: { name: 'approver-1', role: 'approver', groups: ['dba'], via: 'api' },
          reason: 'the test says so',
          stage: 'preflight',
          id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
        },
      },
    ]);
  });

  test.each([
    ['extend', { by: '1h30m' }, 'extend', { byMs: 5_400_000 }],
    ['set-rate', { rowsPerSecond: 500 }, 'setRate', { rowsPerSecond: 500 }],
    ['set-rate', { rowsPerSecond: null }, 'setRate', { rowsPerSecond: null }],
  ])('%s %j carries what it says', async (path, fields, name, carried) => {
    expect((await order(path, fields)).statusCode).toBe(200);
    expect(service.engine.orders[0]).toMatchObject({ name, order: carried });
  });

  test.each([
    ['extend', { by: 'a while' }, '/by'],
    ['extend', { by: '0s' }, '/by'],
    ['set-rate', { rowsPerSecond: 0 }, '/rowsPerSecond'],
    ['set-rate', { rowsPerSecond: '5' }, '/rowsPerSecond'],
    ['approve', { planHash: 'abc' }, '/planHash'],
    ['approve', {}, '/planHash'],
  ])('%s %j is refused by the name of its field', async (path, fields, pointer) => {
    const answer = await order(path, fields);
    expect(answer.statusCode).toBe(422);
    expect(answer.json<Problem>().errors?.map((error) => error.pointer)).toContain(pointer);
  });

  test.each(['approve', 'reject', 'skip'] as const)('%s is signed so that an activity can tell', async (name) => {
    const evidenceHash = 'e'.repeat(64);
    expect((await order(name, { planHash, evidenceHash })).statusCode).toBe(200);
    const approval = service.engine.orders[0]?.order as ApprovalOrder; // the order was an approval
    expect(approval).toMatchObject({ planHash, evidenceHash });
    const { approvals } = settings();
    const { checkApproval } = createApprovalActivities({ approvals });
    expect(await checkApproval({ deployment: id, order: name, approval })).toMatchObject({ counts: true });
    expect(await checkApproval({ deployment: 'other', order: name, approval })).toMatchObject({ counts: false });
  });

  test('are given to the latest deployment of a name', async () => {
    expect((await order('pause', {}, {}, 'payments-cents')).statusCode).toBe(200);
    expect(service.engine.orders[0]?.id).toBe(id);
  });

  test('repeated under one key are carried out once', async () => {
    const key = { 'idempotency-key': 'once' };
    await order('pause', {}, key);
    await order('pause', {}, key);
    await order('pause', { reason: 'another reason' }, key);
    expect(service.engine.orders).toHaveLength(2);
  });

  test('that come too late are refused with what would be possible', async () => {
    const answer = await order('pause', { stage: 'backfill' });
    expect(answer.json<Problem>()).toMatchObject({
      status: 409,
      code: 'ORDER_STALE',
      possible: ['pause', 'abort', 'rollback'],
    });
  });

  test('to what has ended are not possible', async () => {
    service.engine.end(id);
    expect((await order('pause')).json<Problem>()).toMatchObject({
      status: 409,
      code: 'ORDER_IMPOSSIBLE',
      possible: [],
    });
  });

  test('to what was never there are not found', async () => {
    expect((await order('pause', {}, {}, 'none-00000000')).json<Problem>().code).toBe('NOT_FOUND');
  });

  test('without a worker are busy, and may be repeated', async () => {
    service.engine.trouble = new Refusal('WORKER_ABSENT', 'no worker has answered in time');
    const answer = await order('pause');
    expect(answer.json<Problem>()).toMatchObject({ status: 503, code: 'WORKER_ABSENT' });
    expect(answer.headers['retry-after']).toBe('5');
  });
});
