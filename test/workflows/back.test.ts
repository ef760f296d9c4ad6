import { anyApprover } from '../support/plans.ts';
import { approver, Theatre } from '../support/deployments.ts';
import { World } from '../support/world.ts';

let theatre: Theatre;
beforeAll(async () => void (theatre = await Theatre.open()));
afterAll(() => theatre.close());

const undoOfExpand = ['raise fence', 'drop trigger', 'drop column', 'validate'];
const undoOfCutover = ['raise fence', 'hold table', 'turn back'];

describe('an abort', () => {
  test('in mid-backfill takes back the latest first, within two seconds, although the worker of the backfill is dead', async () => {
    const world = new World();
    world.dead.add('backfill');
    const deployment = await theatre.deploy(world);
    await deployment.until(() => world.story.includes('backfill'));
    const ordered = Date.now();
    await deployment.order('abort');
    await expect(deployment.outcome()).resolves.toMatchObject({
      phase: 'rolled-back',
      because: 'abort by ann: the story wants it',
    });
    expect(world.story.slice(-5)).toEqual([...undoOfExpand, 'release']);
    const first = world.deeds.find(({ what }) => what === 'drop trigger');
    expect((first?.at ?? Infinity) - ordered).toBeLessThan(2_000);
  });

  test('fences the effect that it interrupts: a higher turn stands in front of it', async () => {
    const world = new World();
    world.dead.add('backfill');
    const deployment = await theatre.deploy(world);
    await deployment.until(() => world.story.includes('backfill'));
    await deployment.order('abort');
    await deployment.outcome();
    const turnOf = (what: string) => world.deeds.find((deed) => deed.what === what)?.turn ?? 0;
    expect(turnOf('raise fence')).toBeGreaterThan(turnOf('backfill'));
  });

  test('ends a pause', async () => {
    const world = new World();
    world.slow = true;
    const deployment = await theatre.deploy(world);
    await deployment.until(() => world.story.includes('backfill'));
    await deployment.order('pause');
    await deployment.untilPhase('paused');
    await deployment.order('abort');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
  });

  test('is what cancelling the workflow in Temporal means', async () => {
    const world = new World();
    world.slow = true;
    const deployment = await theatre.deploy(world);
    await deployment.until(() => world.story.includes('backfill'));
    await deployment.handle.cancel();
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.story.slice(-5)).toEqual([...undoOfExpand, 'release']);
  });
});

describe('a rollback', () => {
  test('in mid-backfill lets the chunk end: the slice is told to pause and not interrupted', async () => {
    const world = new World();
    world.slow = true;
    const deployment = await theatre.deploy(world);
    await deployment.until(() => world.story.includes('backfill'));
    await deployment.order('rollback');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    const names = world.deeds.map(({ what }) => what);
    expect(names.indexOf('steer pause')).toBeGreaterThan(names.indexOf('backfill'));
    expect(names.indexOf('steer pause')).toBeLessThan(names.indexOf('raise fence'));
  });

  test('in grace takes back the cutover, then the expansion', async () => {
    const world = new World();
    const deployment = await theatre.deploy(world, { graceMs: 60_000 });
    await deployment.untilPhase('in-grace');
    await deployment.order('rollback', { reason: 'checkout is broken' });
    const outcome = await deployment.outcome();
    expect(outcome).toMatchObject({ phase: 'rolled-back', because: 'rollback by ann: checkout is broken' });
    expect(world.story.slice(-8)).toEqual([...undoOfCutover, ...undoOfExpand, 'release']);
    expect(world.kinds('undo-ended').map(({ stage }) => stage)).toEqual([
      'grace',
      'cutover',
      'verify',
      'backfill',
      'expand',
      'preflight',
    ]);
  });

  test('does not need the whole table: that another holds the rest of it stops nothing', async () => {
    const world = new World();
    const deployment = await theatre.deploy(world, { graceMs: 60_000 });
    await deployment.untilPhase('in-grace');
    world.broken.set('holdColumnsOnly', 'TARGET_TAKEN');
    await deployment.order('rollback');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
  });
});

test('a rejection takes everything back that had begun, and the stage that waited has nothing to undo', async () => {
  const world = new World();
  const deployment = await theatre.deploy(world, { cutover: anyApprover });
  await deployment.untilPhase('waiting-for-approval');
  await deployment.order('reject', { actor: approver, reason: 'not on a Friday' });
  await expect(deployment.outcome()).resolves.toMatchObject({ because: 'reject by dora: not on a Friday' });
  expect(world.story.slice(-5)).toEqual([...undoOfExpand, 'release']);
  expect(world.story).not.toContain('turn back');
});

test('a rollout whose old pods do not come back either parks, and goes on when they do', async () => {
  const world = new World();
  const stuck = { done: false, updated: 0, wanted: 3, stuck: true, because: '0 of 3 pods are new' };
  world.rollouts = Array.from({ length: 4 }, () => stuck);
  const deployment = await theatre.roll(world);
  const { progress } = await deployment.untilPhase('needs-attention');
  expect([progress.direction, progress.parked?.code]).toEqual(['back', 'ROLLOUT_STUCK']);
  await deployment.order('retry');
  await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
}, 60_000);

describe('what is broken', () => {
  test('parks: rows that differ wait for a person, and retry converts and compares again', async () => {
    const world = new World();
    world.wrong = { equal: 2 };
    const deployment = await theatre.deploy(world);
    const { progress } = await deployment.untilPhase('needs-attention');
    expect(progress.parked).toEqual({ code: 'VERIFY_DIFFERS', detail: '2 of 1000 rows differ, first keys: 1, 2' });
    expect(world.story.at(-1)).toBe('check equal');
    world.wrong = {};
    await deployment.order('retry');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
    const again = world.story.slice(world.story.indexOf('check equal') + 1);
    expect(again.slice(0, again.indexOf('check equal'))).toContain('backfill');
  });

  test('goes back by itself when the plan says so', async () => {
    const world = new World();
    world.broken.set('backfill', 'SQL_FAILED');
    const deployment = await theatre.deploy(world, { onFailure: 'rollback' });
    const outcome = await deployment.outcome();
    expect(outcome).toMatchObject({
      phase: 'rolled-back',
      because: 'backfill failed: SQL_FAILED backfill is broken in this story',
    });
  });

  test('and ambiguous never goes back by itself', async () => {
    const world = new World();
    world.broken.set('alter', 'OUTCOME_UNKNOWN');
    const deployment = await theatre.deploy(world, { onFailure: 'rollback' });
    const { progress, possible } = await deployment.untilPhase('needs-attention');
    expect(progress.parked?.code).toBe('OUTCOME_UNKNOWN');
    expect(possible).toEqual(['pause', 'abort', 'rollback', 'retry', 'setRate']);
    world.broken.clear();
    await deployment.order('retry');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });

  test('in an undo parks there too, and only a retry goes on', async () => {
    const world = new World();
    const deployment = await theatre.deploy(world, { graceMs: 60_000 });
    await deployment.untilPhase('in-grace');
    world.broken.set('alter', 'SQL_FAILED');
    await deployment.order('rollback');
    const { stage, possible, progress } = await deployment.untilPhase('needs-attention');
    expect({ stage, possible, direction: progress.direction }).toEqual({
      stage: 'cutover',
      possible: ['retry'],
      direction: 'back',
    });
    world.broken.clear();
    await deployment.order('retry');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
  });

  test('past the point of no return parks, and nobody can go back', async () => {
    const world = new World();
    const deployment = await theatre.deploy(world, { graceMs: 300, onFailure: 'rollback' });
    await deployment.untilPhase('in-grace');
    world.broken.set('alter', 'SQL_FAILED');
    const { possible, progress } = await deployment.untilPhase('needs-attention');
    expect(possible).toEqual(['pause', 'retry']);
    expect(progress.wayBack.verdict).toBe('no');
    await expect(deployment.order('abort')).rejects.toMatchObject({ cause: { type: 'ORDER_IMPOSSIBLE' } });
    world.broken.clear();
    await deployment.order('retry');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });
});

describe('what is busy', () => {
  test('is tried again and says why, and a rollback need not wait for it', async () => {
    const world = new World();
    world.broken.set('alter', 'LOCK_NOT_ACQUIRED');
    const deployment = await theatre.deploy(world);
    await deployment.until(({ progress }) => progress.busy?.code === 'LOCK_NOT_ACQUIRED');
    expect(await deployment.status()).toMatchObject({ phase: 'expanding', progress: { parked: null } });
    await deployment.order('rollback');
    await deployment.untilPhase('rolling-back');
    world.broken.clear();
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
  });

  test('for a while only ends by itself', async () => {
    const world = new World();
    world.broken.set('alter', 'LOCK_NOT_ACQUIRED');
    const deployment = await theatre.deploy(world, { graceMs: 100 });
    await deployment.until(({ progress }) => progress.busy?.code === 'LOCK_NOT_ACQUIRED');
    world.broken.clear();
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
    expect(world.entries.at(-1)?.status.progress.busy).toBeNull();
  });
});
