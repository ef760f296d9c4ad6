import type { ApprovalNeed } from '../../contracts/approval-need.ts';
import { anyApprover } from '../support/plans.ts';
import { approver, Theatre } from '../support/deployments.ts';
import { World } from '../support/world.ts';

let theatre: Theatre;
beforeAll(async () => void (theatre = await Theatre.open()));
afterAll(() => theatre.close());

describe('a deployment that nothing stands in the way of', () => {
  test('goes through all of its stages, gives the table back and is deployed', async () => {
    const world = new World();
    const deployment = await theatre.deploy(world);
    expect(deployment.accepted).toMatchObject({ id: deployment.id, startedBy: { name: 'ann' } });

    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
    expect(world.story).toEqual([
      'check conversion',
      'expand',
      'backfill',
      'check equal',
      'cutover',
      'hold columns',
      'check equal',
      'hold table',
      'contract',
      'release',
    ]);
    expect(world.holder).toBeNull();
  });

  test('tells the ledger everything, numbered without a gap, and its last status', async () => {
    const world = new World();
    const deployment = await theatre.deploy(world);
    await deployment.outcome();
    expect(world.events.map(({ seq }) => seq)).toEqual(world.events.map((_, index) => index + 1));
    expect(world.events[0]?.kind).toBe('started');
    expect(world.events.at(-1)?.kind).toBe('ended');
    const stages = world.kinds('stage-began').map(({ stage }) => stage);
    expect(stages).toEqual(['preflight', 'expand', 'backfill', 'verify', 'cutover', 'grace', 'contract']);
    expect(world.entries.at(-1)?.status).toMatchObject({ phase: 'deployed', stage: null, possible: [] });
    expect(world.entries[0]?.plan?.name).toBe('payments-cents');
    expect(world.entries.slice(1).some((entry) => 'plan' in entry)).toBe(false);
  });

  test('gives each effect a higher turn than the one before', async () => {
    const world = new World();
    await (await theatre.deploy(world)).outcome();
    const turns = world.deeds.filter(({ what }) => !what.startsWith('steer')).map(({ turn }) => turn);
    expect(turns).toEqual([...new Set(turns)].sort((a, b) => a - b));
  });

  test('skips a backfill that no change needs', async () => {
    const world = new World();
    const deployment = await theatre.deploy(world, { needed: false });
    await deployment.outcome();
    expect(world.story).not.toContain('backfill');
    expect(world.entries.at(-1)?.status.progress.stages[2]?.state).toBe('skipped');
  });
});

describe('the door', () => {
  test('stays shut when another deployment holds the table, names it, and may be tried again', async () => {
    const world = new World();
    world.holder = 'other-1';
    const id = `taken-${crypto.randomUUID()}`;
    await expect(theatre.deploy(world, {}, { id })).rejects.toMatchObject({
      cause: { type: 'TARGET_TAKEN', message: 'other-1 holds public.payments', details: [{ holder: 'other-1' }] },
    });
    await expect(theatre.client.workflow.getHandle(id).result()).rejects.toMatchObject({
      cause: { type: 'TARGET_TAKEN' },
    });
    expect(world.entries).toEqual([]);

    world.holder = null;
    await expect((await theatre.deploy(world, {}, { id })).outcome()).resolves.toMatchObject({ phase: 'deployed' });
    expect(world.events[0]).toMatchObject({ seq: 1, kind: 'started' });
  });

  test('answers with the failure when the target is broken, and gives back what may have been claimed', async () => {
    const world = new World();
    world.broken.set('claim', 'RIGHTS_MISSING');
    await expect(theatre.deploy(world)).rejects.toMatchObject({
      cause: { type: 'RIGHTS_MISSING' },
    });
    expect(world.story).toEqual(['release']);
  });

  test('answers the same request twice with one deployment', async () => {
    const world = new World();
    const input = { id: `twice-${crypto.randomUUID()}`, startedAt: 1 };
    const [first, second] = await Promise.all([theatre.deploy(world, {}, input), theatre.deploy(world, {}, input)]);
    expect(first.accepted.id).toBe(second.accepted.id);
    await first.outcome();
    expect(world.kinds('started')).toHaveLength(1);
  });
});

describe('the preflight', () => {
  test('refuses rows that do not convert, with their keys, and touches nothing', async () => {
    const world = new World();
    world.wrong = { conversion: 3 };
    const deployment = await theatre.deploy(world);
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'refused' });
    expect(world.story).toEqual(['check conversion', 'release']);
    expect(world.kinds('finding').map(({ data }) => data)).toContainEqual(
      expect.objectContaining({ code: 'CONVERSION_FAILS', level: 'refused', count: 3, keys: ['1', '2', '3'] }),
    );
  });
});

describe('the cutover', () => {
  test('waits for the deployment that proves that the application has moved', async () => {
    const world = new World();
    const deployment = await theatre.deploy(world, { after: 'checkout-4-2' });
    await deployment.untilPhase('waiting-for-proof');
    world.others.set('checkout-4-2', 'in-grace');
    await deployment.until(({ progress }) => progress.waitingFor?.detail === 'checkout-4-2 is in-grace');
    expect(world.story).not.toContain('cutover');
    world.others.set('checkout-4-2', 'deployed');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });

  test('parks when that deployment was rolled back', async () => {
    const world = new World();
    world.others.set('checkout-4-2', 'rolled-back');
    const deployment = await theatre.deploy(world, { after: 'checkout-4-2' });
    const { progress } = await deployment.untilPhase('needs-attention');
    expect(progress.parked).toEqual({ code: 'GATE_HELD', detail: 'the proof failed: checkout-4-2 is rolled-back' });
    await deployment.order('abort');
    await deployment.outcome();
  });

  test('does not begin while going back would lose a row or cannot be seen', async () => {
    const world = new World();
    world.misfits = 2;
    const deployment = await theatre.deploy(world);
    const parked = await deployment.untilPhase('needs-attention');
    expect(parked.progress.wayBack).toMatchObject({ verdict: 'losing', rows: 2 });
    world.misfits = null;
    await deployment.order('retry');
    await deployment.until(({ progress }) => progress.wayBack.rows === null && progress.parked !== null);
    expect(world.story).not.toContain('cutover');
    world.misfits = 0;
    await deployment.order('retry');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });
});

describe('the contract', () => {
  const two: ApprovalNeed = { group: 'dba', count: 2, notByAuthor: true };

  test('waits for as many different people as the plan says, on the evidence that is shown', async () => {
    const world = new World();
    const deployment = await theatre.deploy(world, { graceMs: 100, contract: two });
    const { progress } = await deployment.untilPhase('waiting-for-approval');
    expect(progress.evidence).toMatchObject({ stage: 'contract' });
    await deployment.order('approve', { actor: approver });
    await expect(deployment.order('approve', { actor: approver })).rejects.toMatchObject({
      cause: { type: 'ORDER_REPEATED' },
    });
    await deployment.until((status) => status.progress.waitingFor?.detail.startsWith('1 approval of dba') === true);
    expect(world.story).not.toContain('contract');
    await deployment.order('approve', { actor: { ...approver, name: 'dan' } });
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
    expect(world.kinds('approval')).toHaveLength(2);
  });

  test('asks again when the evidence has changed since it was approved', async () => {
    const world = new World();
    const deployment = await theatre.deploy(world, { graceMs: 100, contract: anyApprover });
    const shown = (await deployment.untilPhase('waiting-for-approval')).progress.evidence?.hash;
    world.readers = 2;
    await deployment.order('approve', { actor: approver });
    await deployment.until(
      ({ progress, phase }) => phase === 'waiting-for-approval' && progress.evidence?.hash !== shown,
    );
    expect(world.story).not.toContain('contract');
    await expect(deployment.order('approve', { actor: approver, evidenceHash: shown })).rejects.toMatchObject({
      cause: { type: 'ORDER_INVALID' },
    });
    await deployment.order('approve', { actor: approver });
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });

  test('parks while rows differ, and removes nothing', async () => {
    const world = new World();
    const deployment = await theatre.deploy(world, { graceMs: 100, contract: anyApprover });
    await deployment.untilPhase('waiting-for-approval');
    world.wrong = { equal: 1 };
    await deployment.order('approve', { actor: approver });
    const { progress } = await deployment.untilPhase('needs-attention');
    expect(progress.parked?.code).toBe('GATE_HELD');
    expect(world.story).not.toContain('contract');
    await deployment.order('rollback');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
  });
});
