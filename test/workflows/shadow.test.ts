import { Theatre } from '../support/deployments.ts';
import { shadowPlan } from '../support/release-plans.ts';
import { comparison } from '../support/shadow-facts.ts';
import { World } from '../support/world.ts';

let theatre: Theatre;
beforeAll(async () => void (theatre = await Theatre.open()));
afterAll(() => theatre.close());

const back = ['raise fence', 'raise fence', 'take down', 'release'];
/** Slices that are all alike. */
const slices = (many: number, slice: ReturnType<typeof comparison>) => Array.from({ length: many }, () => slice);

describe('a shadow', () => {
  test('that agrees is deployed: the candidate comes, is compared, and goes', async () => {
    const world = new World();
    world.slicesOfShadow = [comparison()];
    const deployment = await theatre.shadow(world);
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
    expect(world.story).toEqual(['stand up', 'take down', 'release']);
    expect(world.kinds('verdict').map(({ text }) => text)).toEqual([
      'shadow: promote: 1000 of 1000 answers agree (100 %; 99.47 to 100 % at 99 % confidence), to 20 different requests',
    ]);
  });

  test('that is in doubt is looked at again, at twice as many answers', async () => {
    const world = new World();
    world.slicesOfShadow = [comparison({ differ: 8 }), comparison({ differ: 8 }), comparison({ differ: 1 })];
    const deployment = await theatre.shadow(world);
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
    expect(world.kinds('verdict').map(({ data }) => [data['decision'], data['compared'], data['agreed']])).toEqual([
      ['hold', 1_000, 992],
      ['hold', 2_000, 1_984],
      ['promote', 4_000, 3_983],
    ]);
  });

  test('that disagrees beyond doubt is taken back', async () => {
    const world = new World();
    world.slicesOfShadow = [comparison({ differ: 100, differs: { '/score': 100 } })];
    const deployment = await theatre.shadow(world);
    const { phase, because } = await deployment.outcome();
    expect(phase).toBe('rolled-back');
    expect(because).toContain('900 of 1000 answers agree');
    expect(because).toContain('they differ in /score (100); 99 % is wanted');
    expect(world.story).toEqual(['stand up', ...back.slice(1)]);
  });

  test('that disagrees stays for a person where the spec says so, and compares anew when it is tried again', async () => {
    const world = new World();
    world.slicesOfShadow = [comparison({ differ: 100 })];
    const deployment = await theatre.shadow(world, { onFail: 'hold' });
    const { progress } = await deployment.untilPhase('needs-attention');
    expect(progress.parked?.code).toBe('GATE_HELD');
    expect(progress.shadow).toMatchObject({ compared: 1_000, agreed: 900 });
    world.slicesOfShadow = [comparison()];
    await deployment.order('retry');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
    expect((await deployment.status()).progress.shadow).toMatchObject({ compared: 1_000, agreed: 1_000 });
  });

  test('that is still in doubt after the last look waits for a person', async () => {
    const world = new World();
    world.slicesOfShadow = [comparison({ differ: 8 }), comparison({ differ: 10 })];
    const deployment = await theatre.shadow(world, { atMost: 2_000 });
    const { progress } = await deployment.untilPhase('needs-attention');
    expect(progress.parked?.detail).toContain('1982 of 2000 answers agree');
    await deployment.order('rollback');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.story.slice(-2)).toEqual(['take down', 'release']);
  });

  test('without an answer of the stable side promotes nothing, and calls a person', async () => {
    const world = new World();
    const deployment = await theatre.shadow(world, { blindFor: '1s' });
    const { progress } = await deployment.untilPhase('needs-attention');
    expect(progress.parked?.code).toBe('GATE_HELD');
    expect(progress.parked?.detail).toMatch(/^the stable side has not answered, or with 5xx, to \d+ requests$/);
    world.slicesOfShadow = [comparison()];
    await deployment.order('retry');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });

  test('asks nobody while it is paused, and goes on where it was', async () => {
    const world = new World();
    world.dead.add('compareSides');
    const deployment = await theatre.shadow(world);
    await deployment.until(({ phase }) => phase === 'comparing');
    await deployment.order('pause');
    world.dead.clear();
    world.slicesOfShadow = [comparison()];
    await deployment.untilPhase('paused');
    expect(world.slicesOfShadow).toHaveLength(1);
    await deployment.order('resume');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });

  test('that is aborted waits for no slice, and its candidate goes', async () => {
    const world = new World();
    world.dead.add('compareSides');
    const deployment = await theatre.shadow(world);
    await deployment.until(({ phase }) => phase === 'comparing');
    await deployment.order('abort');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.story).toEqual(['stand up', ...back.slice(1)]);
  });

  test('goes on comparing in a new run', async () => {
    const world = new World();
    world.slicesOfShadow = slices(60, (wanted) => comparison()(Math.min(wanted, 20)));
    const deployment = await theatre.deployPlan(world, shadowPlan(theatre.taskQueue), { handOverAfter: 80 });
    const { runId } = await deployment.handle.describe();
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
    expect((await deployment.handle.describe()).runId).not.toBe(runId);
    expect((await deployment.status()).progress.shadow).toMatchObject({ compared: 1_000 });
  });
});
