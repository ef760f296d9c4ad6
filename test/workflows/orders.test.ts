import { anyApprover, type PlanWishes } from '../support/plans.ts';
import { approver, Theatre } from '../support/deployments.ts';
import { World } from '../support/world.ts';

let theatre: Theatre;
beforeAll(async () => void (theatre = await Theatre.open()));
afterAll(() => theatre.close());

/** A deployment whose backfill runs until it is told to pause. */
async function backfilling(wishes: PlanWishes = {}) {
  const world = new World();
  world.slow = true;
  const deployment = await theatre.deploy(world, wishes);
  await deployment.until(() => world.story.includes('backfill'));
  return { world, deployment };
}

describe('while a backfill runs', () => {
  test('pause reaches it at once, resume lets it go on where it was', async () => {
    const { world, deployment } = await backfilling();
    await deployment.order('pause');
    await deployment.until(({ phase }) => phase === 'paused' && world.paused);
    world.slow = false;
    await deployment.order('resume');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
    expect(world.story.filter((what) => what === 'backfill')).toHaveLength(2);
    expect(world.paused).toBe(false);
  });

  test('a rate reaches it at once and stays for the next slice', async () => {
    const { world, deployment } = await backfilling({ rate: 900 });
    expect((await deployment.status()).rate).toBe(900);
    await deployment.order('setRate', { rowsPerSecond: 100 });
    await deployment.until(({ rate }) => rate === 100 && world.rate === 100);
    await deployment.order('setRate', { rowsPerSecond: null });
    await deployment.until(() => world.rate === null);
    world.slow = false;
    await deployment.outcome();
  });

  test('a signal does what the update of the same name does', async () => {
    const { deployment } = await backfilling();
    await deployment.signal('pause');
    await deployment.untilPhase('paused');
    await deployment.signal('abort');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
  });
});

describe('an order that is refused', () => {
  test('as an update says why and what would be possible, and leaves nothing in the history', async () => {
    const { world, deployment } = await backfilling();
    await expect(deployment.order('pause', { stage: 'expand' })).rejects.toMatchObject({
      cause: { type: 'ORDER_STALE', details: [{ possible: ['pause', 'abort', 'rollback', 'setRate'] }] },
    });
    await expect(deployment.order('skip')).rejects.toMatchObject({ cause: { type: 'ORDER_IMPOSSIBLE' } });
    await expect(deployment.order('pause', { reason: '' })).rejects.toMatchObject({ cause: { type: 'ORDER_INVALID' } });
    const { events } = await deployment.handle.fetchHistory();
    expect(events?.filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes)).toHaveLength(1);
    expect(world.kinds('order-refused')).toEqual([]);
    await deployment.order('abort');
    await deployment.outcome();
  });

  test.each([
    ['stale', 'pause', { stage: 'expand' }, 'ORDER_STALE'],
    ['impossible', 'retry', {}, 'ORDER_IMPOSSIBLE'],
    ['invalid', 'setRate', { rowsPerSecond: -1 }, 'ORDER_INVALID'],
    ['no order at all', 'abort', { actor: 7, reason: null }, 'ORDER_INVALID'],
  ] as const)(
    'as a signal, because it is %s, changes nothing and stands in the ledger',
    async (_why, name, fields, code) => {
      const { world, deployment } = await backfilling();
      await deployment.signal(name, fields);
      await deployment.until(() => world.kinds('order-refused').length === 1);
      expect(world.kinds('order-refused')[0]?.data).toMatchObject({ order: name, code });
      expect(world.kinds('order-refused')[0]?.data['possible']).toEqual(['pause', 'abort', 'rollback', 'setRate']);
      expect((await deployment.status()).phase).toBe('backfilling');
      await deployment.order('abort');
      await deployment.outcome();
    },
  );

  test('because its id was taken is repeated, as update and as signal', async () => {
    const { world, deployment } = await backfilling();
    await deployment.order('setRate', { id: 'r1', rowsPerSecond: 5 });
    await expect(deployment.order('setRate', { id: 'r1', rowsPerSecond: 6 })).rejects.toMatchObject({
      cause: { type: 'ORDER_REPEATED' },
    });
    await deployment.signal('setRate', { id: 'r1', rowsPerSecond: 7 });
    await deployment.until(() => world.kinds('order-refused').length === 1);
    expect((await deployment.status()).rate).toBe(5);
    await deployment.order('abort');
    await deployment.outcome();
  });
});

test('the same update id twice is one order with one answer', async () => {
  const { world, deployment } = await backfilling();
  const first = await deployment.order('setRate', { rowsPerSecond: 5 }, 'u1');
  const second = await deployment.order('setRate', { rowsPerSecond: 6 }, 'u1');
  expect(second).toEqual(first);
  expect((await deployment.status()).rate).toBe(5);
  await deployment.order('abort');
  await deployment.outcome();
  expect(world.kinds('order').filter(({ data }) => data['order'] === 'setRate')).toHaveLength(1);
});

test('an order that comes after the end reaches nobody, as update and as signal', async () => {
  const { world, deployment } = await backfilling();
  await deployment.order('abort');
  await deployment.outcome();
  const deeds = world.deeds.length;
  for (const name of ['pause', 'abort', 'retry'] as const) {
    await expect(deployment.order(name)).rejects.toThrow();
    await expect(deployment.signal(name)).rejects.toThrow();
  }
  expect(world.deeds).toHaveLength(deeds);
  expect(world.kinds('order')).toHaveLength(1);
});

describe('an approval', () => {
  const waiting = async () => {
    const world = new World();
    const deployment = await theatre.deploy(world, { cutover: anyApprover, graceMs: 100 });
    await deployment.untilPhase('waiting-for-approval');
    return { world, deployment };
  };

  test('without the signature of the API does not count, as signal or as update', async () => {
    const { world, deployment } = await waiting();
    await deployment.signal('approve', { actor: approver, signature: null });
    await deployment.until(() => world.kinds('approval-refused').length === 1);
    await expect(deployment.order('approve', { actor: approver, signature: 'forged' })).rejects.toMatchObject({
      cause: { type: 'APPROVAL_NOT_COUNTED', message: 'it is not signed by the API' },
    });
    expect(world.story).not.toContain('cutover');
    expect((await deployment.status()).progress.approvals).toEqual([]);
    await deployment.signal('approve', { actor: approver });
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });

  test('whose signature cannot be checked does not count, and can be given again with the same id', async () => {
    const { world, deployment } = await waiting();
    world.broken.set('checkApproval', 'INTERNAL');
    await expect(deployment.order('approve', { actor: approver, id: 'a1' })).rejects.toMatchObject({
      cause: { type: 'APPROVAL_NOT_COUNTED' },
    });
    world.broken.clear();
    await deployment.order('approve', { actor: approver, id: 'a1' });
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });

  test('is taken while the deployment is paused, and nothing begins before it is resumed', async () => {
    const { world, deployment } = await waiting();
    await deployment.order('pause');
    await deployment.order('approve', { actor: approver });
    expect(await deployment.status()).toMatchObject({ phase: 'paused' });
    expect(world.story).not.toContain('cutover');
    await deployment.order('resume');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });
});

describe('grace', () => {
  const inGrace = async (wishes: PlanWishes) => {
    const world = new World();
    const deployment = await theatre.deploy(world, wishes);
    await deployment.untilPhase('in-grace');
    return { world, deployment };
  };

  test('is ended early by a skip that counts as an approval', async () => {
    const { world, deployment } = await inGrace({ graceMs: 3_600_000 });
    await expect(deployment.order('skip')).rejects.toMatchObject({ cause: { type: 'APPROVAL_NOT_COUNTED' } });
    await deployment.order('skip', { actor: approver, reason: 'all have moved' });
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
    expect(world.entries.at(-1)?.status.progress.stages[5]?.note).toBe('ended early by dora: all have moved');
  });

  test('is made longer by extend', async () => {
    const { world, deployment } = await inGrace({ graceMs: 1_000 });
    const before = (await deployment.status()).progress.deadline ?? 0;
    await deployment.order('extend', { byMs: 1_500 });
    expect((await deployment.status()).progress.deadline).toBe(before + 1_500);
    await deployment.outcome();
    const contract = world.deeds.find(({ what }) => what === 'contract');
    expect(contract?.at).toBeGreaterThanOrEqual(before + 1_500);
  });

  test('does not end while the deployment is paused', async () => {
    const { world, deployment } = await inGrace({ graceMs: 400, cadenceMs: [100] });
    await deployment.order('pause');
    const { progress } = await deployment.status();
    await deployment.until((status) => status.progress.wayBack.lookedAt > (progress.deadline ?? 0));
    expect(world.story).not.toContain('contract');
    await deployment.order('resume');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });

  test('looks at its cadence, tells when going back begins to lose rows, and parks when rows differ', async () => {
    const { world, deployment } = await inGrace({ graceMs: 3_600_000, cadenceMs: [200] });
    world.misfits = 4;
    await deployment.until((status) => status.progress.wayBack.verdict === 'losing');
    await deployment.until(() => world.kinds('way-back').length === 1);
    world.wrong = { equal: 1 };
    const { progress } = await deployment.untilPhase('needs-attention');
    expect(progress.parked?.code).toBe('VERIFY_DIFFERS');
    world.wrong = {};
    await deployment.order('retry');
    await deployment.until((status) => status.progress.verdict?.decision === 'promote');
    await deployment.order('skip', { actor: approver });
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });
});
