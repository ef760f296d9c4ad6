import { Theatre } from '../support/deployments.ts';
import { World } from '../support/world.ts';

let theatre: Theatre;
beforeAll(async () => void (theatre = await Theatre.open()));
afterAll(() => theatre.close());

/** Somebody has taken the claim away: every effect says so. */
function takeClaim(world: World): void {
  for (const effect of ['holdColumnsOnly', 'raiseFence', 'steer', 'alter', 'alterLong', 'backfill', 'checkRows']) {
    world.broken.set(effect, 'CLAIM_GONE');
  }
}

describe('a deployment whose claim was taken away', () => {
  test('is parked, and ends without an undo once a person has said so', async () => {
    const world = new World();
    world.broken.set('backfill', 'CLAIM_GONE');
    const deployment = await theatre.deploy(world, { onFailure: 'rollback' });
    const { progress } = await deployment.untilPhase('needs-attention');
    expect(progress).toMatchObject({ direction: 'forward', parked: { code: 'CLAIM_GONE' } });
    takeClaim(world);
    await deployment.order('rollback', { reason: 'taken back by hand' });
    await expect(deployment.outcome()).resolves.toMatchObject({
      phase: 'rolled-back',
      because: 'rollback by ann: taken back by hand',
    });
    expect(world.kinds('finding').at(-1)?.text).toBe('expand: nothing was undone, the claim is gone');
  });

  test('that went back already is parked too, until a person says to go on', async () => {
    const world = new World();
    world.slow = true;
    const deployment = await theatre.deploy(world);
    await deployment.until(() => world.story.includes('backfill'));
    takeClaim(world);
    world.broken.delete('steer');
    world.broken.delete('backfill');
    await deployment.order('abort');
    const { progress } = await deployment.untilPhase('needs-attention');
    expect(progress).toMatchObject({ direction: 'back', parked: { code: 'CLAIM_GONE' } });
    await deployment.order('retry');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
  });

  test('past the point of no return ends as deployed once a person has said so', async () => {
    const world = new World();
    const deployment = await theatre.deploy(world, { graceMs: 3_600_000 });
    await deployment.untilPhase('in-grace');
    world.broken.set('alter', 'CLAIM_GONE');
    await deployment.order('skip', { actor: { name: 'dora', role: 'approver', groups: [], via: 'api' } });
    await deployment.untilPhase('needs-attention');
    await deployment.order('retry', { reason: 'finished by hand' });
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });
});
