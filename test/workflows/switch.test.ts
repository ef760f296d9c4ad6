import { approver, Theatre } from '../support/deployments.ts';
import { windows } from '../support/gate-windows.ts';
import { blueGreenPlan, checks } from '../support/release-plans.ts';
import { World } from '../support/world.ts';

let theatre: Theatre;
beforeAll(async () => void (theatre = await Theatre.open()));
afterAll(() => theatre.close());

const up = 'apply trino-green 3';
const cleaned = 'apply trino-blue 0';
const switchedBack = ['raise fence', 'weight 0'];
const upBack = ['raise fence', 'apply trino-green 0', 'release'];

describe('a blue-green switch', () => {
  test('brings the idle side up, asks it, sends everything there, and empties the old side after a while', async () => {
    const world = new World();
    world.faults = ['it answers 503'];
    const deployment = await theatre.blueGreen(world);
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
    expect(world.story).toEqual([up, 'weight 100', cleaned, 'release']);
    expect(world.kinds('stage-ended').map(({ text }) => text)).toContain(
      'validate ended: it answers: 2 times in a row, after 3',
    );
  });

  test('whose new side does not answer switches nothing and takes its pods away', async () => {
    const world = new World();
    world.faults = ['it answers 503', null, 'it answers 500'];
    const deployment = await theatre.blueGreen(world);
    await expect(deployment.outcome()).resolves.toMatchObject({
      phase: 'rolled-back',
      because: 'validate failed: VALIDATION_FAILED in 3 tries it did not answer 2 times in a row: it answers 500',
    });
    expect(world.story).toEqual([up, ...upBack]);
  });

  test('that is paused while it asks does not take what was not asked for an answer', async () => {
    const world = new World();
    world.dead.add('probeSide');
    const probes = [{ http: 'http://green/a' }, { http: 'http://green/b' }];
    const deployment = await theatre.blueGreen(world, { validate: { probes, tries: 2, every: '20ms', needs: 1 } });
    await deployment.until(({ stage }) => stage === 'validate');
    let answer = (): void => undefined;
    world.until.set('probeSide', new Promise((resolve) => (answer = resolve)));
    world.dead.clear();
    await deployment.order('abort');
    answer();
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.story).toEqual([up, ...upBack]);
  });

  test('goes on counting its tries in a new run', async () => {
    const world = new World();
    world.faults = Array.from({ length: 11 }, () => 'it answers 503');
    const deployment = await theatre.deployPlan(
      world,
      blueGreenPlan(theatre.taskQueue, {
        validate: { probes: [{ http: 'http://green/' }], tries: 12, every: '1ms', needs: 1 },
      }),
      { handOverAfter: 80 },
    );
    const { runId } = await deployment.handle.describe();
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
    expect((await deployment.handle.describe()).runId).not.toBe(runId);
    expect(world.kinds('stage-ended').map(({ text }) => text)).toContain(
      'validate ended: it answers: 1 times in a row, after 12',
    );
  });

  test('waits longer and longer for a side that does not answer, and no longer than usual for one that does', async () => {
    const world = new World();
    world.faults = ['no connection', 'no connection', 'no connection', null, 'no connection'];
    const deployment = await theatre.blueGreen(world, {
      validate: { probes: [{ tcp: 'green:80' }], tries: 9, every: '100ms', backoff: '250ms', needs: 3 },
    });
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
    const { events } = await deployment.handle.fetchHistory();
    const waits = (events ?? []).flatMap(
      ({ timerStartedEventAttributes: timer }) => timer?.startToFireTimeout?.nanos ?? [],
    );
    expect(waits.map((nanos) => nanos / 1_000_000)).toEqual(expect.arrayContaining([100, 200, 250]) as number[]);
    expect(waits.filter((nanos) => nanos === 100_000_000).length).toBeGreaterThanOrEqual(4);
  });

  test('waits for its approval before the switch, with the new side ready', async () => {
    const world = new World();
    const deployment = await theatre.blueGreen(world, { approve: true });
    const { stage } = await deployment.untilPhase('waiting-for-approval');
    expect([stage, world.story]).toEqual(['switch', [up]]);
    await deployment.order('reject', { actor: approver });
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.story).toEqual([up, ...upBack]);
  });

  test('goes back when a check fails while it is watched', async () => {
    const world = new World();
    world.windows = windows.bad;
    const deployment = await theatre.blueGreen(world, { watch: { for: '1h', checks } });
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.story).toEqual([up, 'weight 100', ...switchedBack, ...upBack]);
  });

  test('goes back when no pod of the new side is ready while it is watched', async () => {
    const world = new World();
    world.readyPods = 0;
    const deployment = await theatre.blueGreen(world, { watch: { for: '1h' } });
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.story).toEqual([up, 'weight 100', ...switchedBack, ...upBack]);
  });

  test('is rolled back in keep by one change of the route, before the new side loses its pods', async () => {
    const world = new World();
    const deployment = await theatre.blueGreen(world, { keepOld: '1h' });
    await deployment.untilPhase('in-grace');
    await deployment.order('rollback');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.story).toEqual([up, 'weight 100', ...switchedBack, ...upBack]);
  });

  test('in keep is extended, does not end while it is paused, and ends by a skip', async () => {
    const world = new World();
    const deployment = await theatre.blueGreen(world, { keepOld: '1s' });
    const before = (await deployment.untilPhase('in-grace')).progress.deadline ?? 0;
    await deployment.order('extend', { byMs: 500 });
    await deployment.order('pause');
    const { progress } = await deployment.until(() => Date.now() > before + 700);
    expect(progress.deadline).toBe(before + 500);
    expect(world.story).not.toContain(cleaned);
    await deployment.order('extend', { byMs: 3_600_000 });
    await deployment.order('resume');
    await deployment.order('skip', { actor: approver });
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });

  test('aborted while the old side is emptied brings its pods back, then the traffic', async () => {
    const world = new World();
    const deployment = await theatre.blueGreen(world);
    world.dies = (activity) => activity === 'awaitRollout' && world.story.at(-1) === cleaned;
    await deployment.until(() => world.dead.has('awaitRollout'));
    world.dies = () => false;
    await deployment.order('abort');
    world.dead.clear();
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.story.filter((what) => what !== 'hold')).toEqual([
      up,
      'weight 100',
      cleaned,
      'raise fence',
      'apply trino-blue 3',
      ...switchedBack,
      ...upBack,
    ]);
  });
});

describe('a restart with downtime', () => {
  test('waits for a person, ends all pods, and starts the new ones', async () => {
    const world = new World();
    const deployment = await theatre.recreate(world);
    await deployment.untilPhase('waiting-for-approval');
    expect(world.story).toEqual([]);
    await deployment.order('approve', { actor: { ...approver, groups: ['platform'] } });
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
    expect(world.story).toEqual(['apply checkout 0', 'apply checkout 3', 'release']);
  });

  test('that is aborted while its pods end starts none beside them', async () => {
    const world = new World();
    const deployment = await theatre.recreate(world);
    await deployment.untilPhase('waiting-for-approval');
    const ending = { done: false, updated: 0, wanted: 0, stuck: false, because: '3 pods are still ending' };
    world.dies = (activity) => activity === 'awaitRollout' && world.story.at(-1) === 'apply checkout 0';
    await deployment.order('approve', { actor: { ...approver, groups: ['platform'] } });
    await deployment.until(() => world.dead.has('awaitRollout'));
    world.dies = () => false;
    world.rollouts = [ending, ending, ending, { ...ending, done: true }];
    await deployment.order('abort');
    world.dead.clear();
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    const story = world.story.filter((what) => what !== 'hold');
    expect(story).toEqual(['apply checkout 0', 'raise fence', 'apply checkout 3', 'release']);
    expect(world.rollouts).toEqual([]);
  });

  test('that may not ask for pods that are ending tells none to', async () => {
    const world = new World();
    const deployment = await theatre.recreate(world);
    await deployment.untilPhase('waiting-for-approval');
    world.broken.set('awaitRollout', 'RIGHTS_MISSING');
    await deployment.order('approve', { actor: { ...approver, groups: ['platform'] } });
    const { progress } = await deployment.untilPhase('needs-attention');
    expect([progress.parked?.code, world.story]).toEqual(['RIGHTS_MISSING', ['raise fence']]);
    world.broken.clear();
    await deployment.order('retry');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
  });

  test('whose new pods do not start has the ones of before again', async () => {
    const world = new World();
    const deployment = await theatre.recreate(world);
    await deployment.untilPhase('waiting-for-approval');
    const status = { done: false, updated: 0, wanted: 3, stuck: true, because: '0 of 3 pods are new' };
    const done = { ...status, done: true, stuck: false };
    world.rollouts = [done, done, status];
    await deployment.order('approve', { actor: { ...approver, groups: ['platform'] } });
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.story).toEqual([
      'apply checkout 0',
      'apply checkout 3',
      'raise fence',
      'apply checkout 0',
      'raise fence',
      'apply checkout 3',
      'release',
    ]);
  });
});
