import { Theatre } from '../support/deployments.ts';
import { World } from '../support/world.ts';

let theatre: Theatre;
beforeAll(async () => void (theatre = await Theatre.open()));
afterAll(() => theatre.close());

const undoOfBuild = ['raise fence', 'remove what was made'];
const undoOfExpand = ['raise fence', 'drop trigger', 'drop column', 'validate'];

describe('the build', () => {
  test('makes index after index, then constraints, then checks them, between backfill and verify', async () => {
    const world = new World();
    const deployment = await theatre.deploy(world, { build: true, graceMs: 100 });
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
    const from = world.story.indexOf('backfill');
    expect(world.story.slice(from, from + 6)).toEqual([
      'backfill',
      'build one',
      'build two',
      'constraints',
      'check them',
      'check equal',
    ]);
  });

  test('is a phase of its own, and an abort in it removes what was made although its worker is dead', async () => {
    const world = new World();
    world.dead.add('buildIndex');
    const deployment = await theatre.deploy(world, { build: true });
    await deployment.until(() => world.story.includes('build one'));
    expect((await deployment.status()).phase).toBe('building');
    await deployment.order('abort');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.story.slice(-7)).toEqual([...undoOfBuild, ...undoOfExpand, 'release']);
  });

  test('lets the index end that it makes when a rollback comes, and begins no other', async () => {
    const world = new World();
    let finish = (): void => undefined;
    world.until.set('buildIndex', new Promise<void>((resolve) => (finish = resolve)));
    const deployment = await theatre.deploy(world, { build: true });
    await deployment.until(() => world.story.includes('build one'));
    await deployment.order('rollback');
    finish();
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.story).not.toContain('build two');
    expect(world.story.slice(-7)).toEqual([...undoOfBuild, ...undoOfExpand, 'release']);
  });

  test('that fails parks, and goes on when it is tried again', async () => {
    const world = new World();
    world.broken.set('buildIndex', 'SQL_FAILED');
    const deployment = await theatre.deploy(world, { build: true, graceMs: 100 });
    await deployment.untilPhase('needs-attention');
    world.broken.delete('buildIndex');
    await deployment.order('retry');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });
});
