import { approver, Theatre } from '../support/deployments.ts';
import { anyApprover } from '../support/plans.ts';
import { World } from '../support/world.ts';

let theatre: Theatre;
beforeAll(async () => {
  theatre = await Theatre.open();
});
afterAll(() => theatre.close());

describe('a release of a table and a service', () => {
  test('changes the service once the new shape is verified, and cuts over when the service has moved', async () => {
    const world = new World();
    const deployment = await theatre.release(world, { graceMs: 100, contract: anyApprover });
    await deployment.untilPhase('waiting-for-approval');
    await deployment.order('approve', { actor: approver });
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
    const began = world.kinds('stage-began').map(({ stage }) => stage);
    expect(began).toEqual([
      'preflight',
      'expand',
      'backfill',
      'verify',
      'candidate',
      'weight-5',
      'weight-50',
      'weight-100',
      'promote',
      'home',
      'retire',
      'cutover',
      'grace',
      'contract',
    ]);
    // one of each part, at the beginning and at the end
    expect(world.story.filter((what) => what === 'release')).toHaveLength(2);
  });

  test('takes everything back in one order: the old shape leads, the traffic goes home, the new shape goes', async () => {
    const world = new World();
    const deployment = await theatre.release(world, { graceMs: 3_600_000 });
    await deployment.untilPhase('in-grace');
    await deployment.order('rollback');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    const undone = world.kinds('undo-ended').map(({ stage }) => stage);
    expect(undone).toEqual([
      'grace',
      'cutover',
      'retire',
      'home',
      'promote',
      'weight-100',
      'weight-50',
      'weight-5',
      'candidate',
      'verify',
      'backfill',
      'expand',
      'preflight',
    ]);
    expect(world.weight).toBe(0);
  });

  test('compares every row once more before the cutover, long after the first time', async () => {
    const world = new World();
    const deployment = await theatre.release(world, { graceMs: 3_600_000 });
    await deployment.untilPhase('in-grace');
    const checks = world.story.filter((what) => what === 'check equal');
    expect(checks.length).toBeGreaterThanOrEqual(2);
    expect(world.story.lastIndexOf('check equal')).toBeGreaterThan(world.story.indexOf('take down'));
    await deployment.order('abort');
    await deployment.outcome();
  });
});
