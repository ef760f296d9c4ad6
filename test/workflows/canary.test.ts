import type { CanarySpec } from '../../contracts/release-spec.ts';
import { approver, Theatre, type Underway } from '../support/deployments.ts';
import { windows } from '../support/gate-windows.ts';
import { checks } from '../support/release-plans.ts';
import { World } from '../support/world.ts';

let theatre: Theatre;
beforeAll(async () => void (theatre = await Theatre.open()));
afterAll(() => theatre.close());

const upTo = {
  5: ['stand up', 'scale to 1', 'weight 5'],
  50: ['stand up', 'scale to 1', 'weight 5', 'scale to 5', 'weight 50'],
} as const;
const home = ['raise fence', 'weight 0'] as const;
const removed = ['raise fence', 'take down', 'release'] as const;

/** A step that lasts until the story ends it. */
const long = '1h';
const steps = (wishes: Partial<NonNullable<CanarySpec['steps']>[number]> = {}): Partial<CanarySpec> => ({
  steps: [
    { weight: 5, for: '100ms' },
    { weight: 50, for: long, ...wishes },
    { weight: 100, for: '100ms' },
  ],
});

const watching = (deployment: Underway, stage = 'weight-50') =>
  deployment.until((status) => status.stage === stage && status.phase === 'watching');
const looked = async (deployment: Underway, world: World, more = 2): Promise<void> => {
  const before = world.looks.route;
  await deployment.until(() => world.looks.route >= before + more);
};

/** A canary that is watched at 50 %. */
async function watched(wishes: Partial<CanarySpec> = {}) {
  const world = new World();
  world.windows = windows.good;
  const deployment = await theatre.canary(world, { ...steps(), checks, ...wishes });
  await watching(deployment);
  return { world, deployment };
}

test('a canary goes step by step, replaces the stable pods at last, and takes the traffic home', async () => {
  const world = new World();
  world.windows = windows.good;
  const deployment = await theatre.canary(world, { checks, keepOld: '50ms' });
  await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  expect(world.story).toEqual([...upTo[50], 'scale to 10', 'weight 100', 'apply', 'weight 0', 'take down', 'release']);
  expect(world.kinds('reading').map(({ text }) => text)).toEqual([
    '5 % on the candidate, 5.0 % of 1000 requests seen there',
    '50 % on the candidate, 50.0 % of 1000 requests seen there',
    '100 % on the candidate, 100.0 % of 1000 requests seen there',
    '0 % on the candidate, 100.0 % of 1000 requests seen there',
  ]);
});

describe('a check that fails', () => {
  test('at the second step takes everything home, the latest first', async () => {
    const { world, deployment } = await watched();
    world.windows = windows.bad;
    const { phase, because } = await deployment.outcome();
    expect({ phase, because }).toEqual({
      phase: 'rolled-back',
      because: 'errors 50.00 %, above 1.00 % in 1 of the last 1 windows',
    });
    expect(world.story).toEqual([...upTo[50], ...home, ...home, ...removed]);
    expect(world.kinds('undo-ended').map(({ stage }) => stage)).toEqual(['weight-50', 'weight-5', 'candidate']);
  });

  test('with onFail of a weight goes back to that weight and parks; a retry begins the step anew', async () => {
    const { world, deployment } = await watched(steps({ onFail: 5 }));
    const before = (await deployment.status()).progress.traffic?.since ?? Infinity;
    world.windows = windows.bad;
    const { progress } = await deployment.untilPhase('needs-attention');
    expect(progress.parked).toEqual({
      code: 'GATE_HELD',
      detail: 'errors 50.00 %, above 1.00 % in 1 of the last 1 windows; back to 5 %',
    });
    expect(progress).toMatchObject({ direction: 'forward', deadline: null, traffic: { weight: 5, since: null } });
    expect(world.weight).toBe(5);
    world.windows = windows.good;
    await deployment.order('retry');
    const again = (await watching(deployment)).progress;
    expect(again.traffic).toMatchObject({ weight: 50, repairs: 0 });
    expect(again.traffic?.since).toBeGreaterThan(before);
    expect((again.deadline ?? 0) - (again.traffic?.since ?? 0)).toBe(3_600_000);
    await deployment.order('skip', { actor: approver });
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });

  test('with onFail of hold stays where it is and parks, and a rollback goes home from there', async () => {
    const { world, deployment } = await watched(steps({ onFail: 'hold' }));
    world.windows = windows.bad;
    const { progress, possible } = await deployment.untilPhase('needs-attention');
    expect([progress.parked?.code, world.weight]).toEqual(['GATE_HELD', 50]);
    expect(possible).toEqual(['pause', 'abort', 'rollback', 'retry']);
    await deployment.order('rollback');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.story).toEqual([...upTo[50], ...home, ...home, ...removed]);
  });

  test('goes home while the deployment is paused', async () => {
    const { world, deployment } = await watched();
    await deployment.order('pause');
    world.windows = windows.bad;
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.story.slice(-3)).toEqual(removed);
  });
});

describe('a candidate without a ready pod', () => {
  test('takes everything home, though nobody measures it', async () => {
    const world = new World();
    const deployment = await theatre.canary(world, steps());
    await watching(deployment);
    world.readyPods = 0;
    const { phase, because } = await deployment.outcome();
    expect({ phase, because }).toEqual({
      phase: 'rolled-back',
      because: 'weight-50 failed: ROLLOUT_STUCK weight-50: no pod that gets it is ready',
    });
    expect(world.story).toEqual([...upTo[50], ...home, ...home, ...removed]);
  });

  test('calls a person where the spec says so, and ends no step meanwhile', async () => {
    const world = new World();
    const deployment = await theatre.canary(world, { ...steps({ for: '2s' }), onFailure: 'park' });
    await watching(deployment);
    world.readyPods = 0;
    const { stage, progress } = await deployment.untilPhase('needs-attention');
    expect([stage, progress.parked?.code]).toEqual(['weight-50', 'ROLLOUT_STUCK']);
    world.readyPods = 1;
    await deployment.order('retry');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });

  test('for a moment only is not in the way', async () => {
    const { world, deployment } = await watched();
    world.readyPods = 0;
    await deployment.until(({ progress }) => (progress.traffic?.deadSince ?? null) !== null);
    world.readyPods = 1;
    await deployment.until(({ progress }) => progress.traffic?.deadSince === null);
    expect((await deployment.status()).phase).toBe('watching');
    await deployment.order('abort');
    await deployment.outcome();
  });
});

describe('a route that somebody else writes', () => {
  test('is put right, three times; then a person is called, whose retry begins the step anew', async () => {
    const { world, deployment } = await watched();
    for (let edits = 1; edits <= 3; edits++) {
      world.weight = 7;
      await deployment.until(({ progress }) => progress.traffic?.repairs === edits && world.weight === 50);
    }
    expect(world.kinds('finding')[0]).toMatchObject({
      text: 'weight-50: 7 % on the candidate; put right to 50 %',
      data: { weight: 7 },
    });
    world.weight = 7;
    const { progress } = await deployment.untilPhase('needs-attention');
    expect(progress.parked?.code).toBe('ROUTE_DRIFTED');
    expect(world.weight).toBe(7);
    await deployment.order('retry');
    expect((await watching(deployment)).progress.traffic).toMatchObject({ weight: 50, repairs: 0 });
    expect(world.weight).toBe(50);
    await deployment.order('abort');
    await deployment.outcome();
  });

  test('keeps its word whatever is written: it parks while the share is being set', async () => {
    const world = new World();
    world.stubborn = 0;
    const deployment = await theatre.canary(world);
    const { progress } = await deployment.untilPhase('needs-attention');
    expect(progress.parked).toEqual({ code: 'ROUTE_DRIFTED', detail: '0 % on the candidate, and not 5 %' });
    expect(world.story.filter((what) => what === 'weight 5')).toHaveLength(3);
    world.stubborn = null;
    await deployment.order('retry');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });

  test('in the last look does not let the step end before it was looked at again', async () => {
    const { world, deployment } = await watched();
    world.edits = [7];
    world.weight = 7;
    await deployment.order('skip', { actor: approver });
    await deployment.until(() => world.story.includes('scale to 10'));
    expect(world.story.slice(0, world.story.indexOf('scale to 10'))).toEqual([...upTo[50], 'weight 50', 'weight 50']);
    await deployment.outcome();
  });

  test('on the way home keeps the candidate until the route is home', async () => {
    const { world, deployment } = await watched();
    world.stubborn = 50;
    await deployment.order('abort');
    const { progress } = await deployment.untilPhase('needs-attention');
    expect([progress.direction, progress.parked?.code]).toEqual(['back', 'ROUTE_DRIFTED']);
    expect(world.story).not.toContain('take down');
    world.stubborn = null;
    await deployment.order('retry');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.story.slice(-3)).toEqual(removed);
  });
});

describe('traffic that is seen elsewhere than the route says', () => {
  test('parks, and never goes back by itself', async () => {
    const world = new World();
    world.seen = 80;
    const deployment = await theatre.canary(world);
    const { progress } = await deployment.until(({ phase }) => phase === 'needs-attention', 60_000);
    expect(progress.direction).toBe('forward');
    expect(progress.parked).toEqual({
      code: 'TRAFFIC_ELSEWHERE',
      detail: '800 of 1000 requests were answered by the candidate, and the route says 5 %',
    });
    world.seen = null;
    await deployment.order('retry');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  }, 90_000);

  test('on the way home keeps the candidate until a person has looked; nobody is called twice', async () => {
    const { world, deployment } = await watched();
    world.seen = 50;
    await deployment.order('abort');
    const { progress } = await deployment.until(({ phase }) => phase === 'needs-attention', 60_000);
    expect([progress.direction, progress.parked?.code]).toEqual(['back', 'TRAFFIC_ELSEWHERE']);
    expect([world.weight, world.story.includes('take down')]).toEqual([0, false]);
    world.seen = null;
    await deployment.order('retry');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
  }, 90_000);

  test.each([
    [
      'nobody asks',
      (world: World) => (world.requests = 0),
      'weight-50: 0 of 0 requests were answered by the candidate',
    ],
    [
      'it cannot be looked at',
      (world: World) => world.broken.set('observeTraffic', 'TARGET_UNKNOWN'),
      'weight-50: nobody saw where requests go: TARGET_UNKNOWN observeTraffic is broken in this story',
    ],
  ])('on the way home, when %s, keeps nothing from going home', async (_why, mishap, text) => {
    const { world, deployment } = await watched();
    mishap(world);
    await deployment.order('abort');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.story.slice(-3)).toEqual(removed);
    expect(world.kinds('finding')[0]?.text).toBe(text);
  });
});

describe('at the end of a step', () => {
  test.each(['tooFew', 'notMeasured', 'none'] as const)(
    'windows that are %s promote nothing: it holds, and then a person is called',
    async (what) => {
      const world = new World();
      world.windows = windows[what];
      const deployment = await theatre.canary(world, { checks: { ...checks, blindFor: '300ms' } });
      const { progress, stage } = await deployment.untilPhase('needs-attention');
      expect([stage, progress.parked?.code, progress.verdict?.decision]).toEqual(['weight-5', 'GATE_HELD', 'hold']);
      expect(world.looks.route).toBeGreaterThan(2);
      world.windows = windows.good;
      await deployment.order('retry');
      await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
    },
  );

  test('a source that has fallen silent promotes nothing, although its last window was good', async () => {
    const { world, deployment } = await watched();
    await deployment.until(({ progress }) => progress.verdict?.decision === 'promote');
    world.blindBecause = 'shop does not answer';
    await looked(deployment, world);
    await deployment.order('skip', { actor: approver });
    await looked(deployment, world);
    expect(await deployment.status()).toMatchObject({
      stage: 'weight-50',
      progress: { verdict: { decision: 'hold', because: 'shop does not answer' } },
    });
    world.blindBecause = null;
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });

  test('looks that fail promote nothing, although the one before them was good', async () => {
    const { world, deployment } = await watched({ ...steps({ for: '2s' }), onFailure: 'park' });
    await deployment.until(({ progress }) => progress.verdict?.decision === 'promote');
    world.broken.set('watchTraffic', 'RIGHTS_MISSING');
    const { progress } = await deployment.untilPhase('needs-attention');
    expect(progress.verdict?.decision).toBe('hold');
    await deployment.until(() => Date.now() > (progress.deadline ?? 0));
    world.windows = windows.tooFew;
    world.broken.clear();
    await deployment.order('retry');
    await looked(deployment, world);
    expect((await deployment.status()).stage).toBe('weight-50');
    world.windows = windows.good;
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });

  test('a source that gives nothing for too long calls a person in the middle of a step', async () => {
    const world = new World();
    world.blindBecause = 'shop does not answer';
    const deployment = await theatre.canary(world, { ...steps(), checks: { ...checks, blindFor: '200ms' } });
    const { progress } = await deployment.untilPhase('needs-attention');
    expect(progress.parked).toEqual({ code: 'METRICS_BLIND', detail: 'shop does not answer' });
    await deployment.order('abort');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
  });

  test('a source that gives nothing for too long takes all back where the spec says so; too few requests do not', async () => {
    const { world, deployment } = await watched({ checks: { ...checks, blindFor: '300ms', blind: 'rollback' } });
    world.windows = windows.tooFew;
    await deployment.order('skip', { actor: approver });
    const { progress } = await deployment.untilPhase('needs-attention');
    expect(progress.parked?.code).toBe('GATE_HELD');
    world.blindBecause = 'shop does not answer';
    await deployment.order('retry');
    await expect(deployment.outcome()).resolves.toMatchObject({
      phase: 'rolled-back',
      because: 'weight-50 failed: METRICS_BLIND shop does not answer',
    });
    expect(world.story.slice(-3)).toEqual(removed);
  });
});

describe('while a share is watched', () => {
  test('a pause lets the looks go on and ends nothing; resumed, it ends', async () => {
    const { world, deployment } = await watched(steps({ for: '400ms' }));
    await deployment.order('pause');
    const { progress } = await deployment.status();
    await deployment.until(() => Date.now() > (progress.deadline ?? 0) + 100);
    await looked(deployment, world);
    expect(await deployment.status()).toMatchObject({ phase: 'paused', stage: 'weight-50' });
    await deployment.order('resume');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });

  test('a pause outlasts what would call a person for want of data', async () => {
    const world = new World();
    world.windows = windows.tooFew;
    const deployment = await theatre.canary(world, { ...steps(), checks: { ...checks, blindFor: '100ms' } });
    await watching(deployment, 'weight-5');
    await deployment.order('pause');
    const { progress } = await deployment.status();
    await deployment.until(() => Date.now() > (progress.deadline ?? 0) + 300);
    await looked(deployment, world);
    expect((await deployment.status()).phase).toBe('paused');
    await deployment.order('resume');
    await deployment.untilPhase('needs-attention');
    await deployment.order('abort');
    await deployment.outcome();
  });

  test('it lasts longer by extend, and ends by a skip, which is no word on its checks', async () => {
    const { world, deployment } = await watched();
    const before = (await deployment.status()).progress.deadline ?? 0;
    await deployment.order('extend', { byMs: 60_000 });
    expect((await deployment.status()).progress.deadline).toBe(before + 60_000);
    world.windows = windows.tooFew;
    await deployment.until(({ progress }) => progress.verdict?.decision === 'hold');
    await deployment.order('skip', { actor: approver, reason: 'enough' });
    await looked(deployment, world);
    expect((await deployment.status()).stage).toBe('weight-50');
    world.windows = windows.good;
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
    expect(world.events.map(({ text }) => text)).toContain('weight-50 ended: ended early by dora: enough');
  });

  test('an abort is quick although the worker that looks is dead', async () => {
    const { world, deployment } = await watched();
    world.dead.add('watchTraffic');
    await looked(deployment, world, 0);
    const ordered = Date.now();
    await deployment.order('abort');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.story).toEqual([...upTo[50], ...home, ...home, ...removed]);
    const first = world.deeds.findLast(({ what }) => what === 'raise fence');
    expect((first?.at ?? Infinity) - ordered).toBeLessThan(4_000);
  });

  test('a run that hands over carries the share, its time and its verdict', async () => {
    const world = new World();
    world.windows = windows.good;
    const deployment = await theatre.canary(world, { ...steps(), checks }, { handOverAfter: 250 });
    const { runId } = await deployment.handle.describe();
    const before = (await watching(deployment)).progress;
    while ((await deployment.handle.describe()).runId === runId) await deployment.until(() => true);
    const after = (await deployment.status()).progress;
    expect(after.deadline).toBe(before.deadline);
    expect(after.traffic).toMatchObject({ weight: 50, seen: 0.5, since: before.traffic?.since });
    expect(after.verdict?.decision).toBe('promote');
    world.windows = windows.bad;
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.story).toEqual([...upTo[50], ...home, ...home, ...removed]);
  });
});

test('a step that asks for it waits for its approval, and is not begun before', async () => {
  const world = new World();
  const deployment = await theatre.canary(world, steps({ for: '100ms', approve: 'dba' }));
  const { stage } = await deployment.untilPhase('waiting-for-approval');
  expect([stage, world.story]).toEqual(['weight-50', upTo[5]]);
  await deployment.order('approve', { actor: approver });
  await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
});

describe('an abort', () => {
  const at100 = [...upTo[50], 'scale to 10', 'weight 100'];
  const all = [...home, ...home, ...home, ...removed];
  const stableBack = ['raise fence', 'apply'];

  /** Holds an activity back, so that the abort comes in its middle. */
  const held = (name: string, begun: (world: World) => boolean) => ({ name, begun });
  const is =
    (what: string) =>
    ({ story }: World) =>
      story.at(-1) === what;

  test.each([
    ['while the candidate comes up', held('awaitRollout', is('stand up')), ['stand up', ...removed]],
    [
      'while it gets more pods',
      held('awaitRollout', is('scale to 5')),
      [...upTo[50].slice(0, -1), ...home, ...home, ...removed],
    ],
    ['while the share is set', held('setWeight', is('weight 50')), [...upTo[50], ...home, ...home, ...removed]],
    [
      'while the traffic is looked at',
      held('observeTraffic', is('weight 50')),
      [...upTo[50], ...home, ...home, ...removed],
    ],
    ['in keep', held('', () => true), [...at100, ...all]],
    [
      'while the stable pods are replaced',
      held('awaitRollout', is('apply')),
      [...at100, 'apply', ...stableBack, ...all],
    ],
    [
      'while the traffic goes home',
      held('setWeight', is('weight 0')),
      [...at100, 'apply', 'weight 0', 'raise fence', 'weight 100', ...stableBack, ...all],
    ],
    [
      'while the candidate is removed',
      held('takeDown', is('take down')),
      [
        ...at100,
        'apply',
        'weight 0',
        'take down',
        'raise fence',
        'stand up',
        'raise fence',
        'weight 100',
        ...stableBack,
        ...all,
      ],
    ],
  ])('%s sends the traffic home first and removes the candidate last', async (_where, { name, begun }, story) => {
    const world = new World();
    const deployment = await theatre.canary(world, name === '' ? { keepOld: '1h' } : {});
    if (name === '') await deployment.untilPhase('in-grace');
    else await dieAt(deployment, world, name, begun);
    await deployment.order('abort');
    world.dead.clear();
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.story.filter((what) => what !== 'hold')).toEqual(story);
  });

  /** Has the worker of an activity die as soon as the story is where it should be. */
  async function dieAt(deployment: Underway, world: World, name: string, begun: (world: World) => boolean) {
    world.dies = (activity) => activity === name && begun(world);
    await deployment.until(() => world.dead.has(name));
    world.dies = () => false;
  }

  test('goes on with the other undos when one finds its claim gone and a person has seen it', async () => {
    const { world, deployment } = await watched();
    world.broken.set('setWeight', 'CLAIM_GONE');
    await deployment.order('abort');
    await deployment.untilPhase('needs-attention');
    await deployment.order('retry');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.kinds('undo-ended').map(({ stage }) => stage)).toEqual(['weight-50', 'weight-5', 'candidate']);
    expect(world.story.slice(-3)).toEqual(removed);
  });
});

test('a candidate that does not become ready is removed again, and nothing was sent to it', async () => {
  const world = new World();
  world.rollouts = [{ done: false, updated: 0, wanted: 1, stuck: true, because: '0 of 1 pods are ready' }];
  const deployment = await theatre.canary(world);
  await expect(deployment.outcome()).resolves.toMatchObject({
    phase: 'rolled-back',
    because: 'candidate failed: ROLLOUT_STUCK checkout-candidate: 0 of 1 pods are ready',
  });
  expect(world.story).toEqual(['stand up', ...removed]);
});
