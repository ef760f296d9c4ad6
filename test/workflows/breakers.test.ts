import type { CanarySpec, DependencySpec } from '../../contracts/release-spec.ts';
import { approver, Theatre, type Underway } from '../support/deployments.ts';
import { windows } from '../support/gate-windows.ts';
import { checks } from '../support/release-plans.ts';
import { World } from '../support/world.ts';

let theatre: Theatre;
beforeAll(async () => void (theatre = await Theatre.open()));
afterAll(() => theatre.close());

const address = 'db.data:5432';
const database: DependencySpec = {
  name: 'scores-db',
  probe: { tcp: address },
  every: '20ms',
  fail: '2 of 3',
  closeAfter: 2,
  backoff: '40ms',
};
const steps: NonNullable<CanarySpec['steps']> = [
  { weight: 5, for: '100ms' },
  { weight: 50, for: '1h' },
  { weight: 100, for: '100ms' },
];
const upTo50 = ['stand up', 'scale to 1', 'weight 5', 'scale to 5', 'weight 50'] as const;
const home = ['raise fence', 'weight 0'] as const;
const removed = ['raise fence', 'take down', 'release'] as const;

/** A canary at 50 % that needs a database. */
async function watched(wishes: Partial<CanarySpec> = {}, needed: Partial<DependencySpec> = {}) {
  const world = new World();
  world.windows = windows.good;
  const deployment = await theatre.canary(world, {
    steps,
    checks,
    dependencies: [{ ...database, ...needed }],
    ...wishes,
  });
  await watching(deployment);
  return { world, deployment };
}
const watching = (deployment: Underway, stage = 'weight-50') =>
  deployment.until((status) => status.stage === stage && status.phase === 'watching');
const looked = async (deployment: Underway, world: World, more = 3): Promise<void> => {
  const before = world.looks.route;
  await deployment.until(() => world.looks.route >= before + more);
};
const states = (world: World): unknown[] => world.kinds('breaker').map(({ data }) => data['state']);
/** It is away, and all is at home for that. */
async function held(world: World, deployment: Underway) {
  world.away.add(address);
  return deployment.until(({ phase, progress }) => phase === 'held' && (progress.traffic?.since ?? null) !== null);
}

test('a dependency that is away takes the share home, holds it there, and gives it back for its whole time', async () => {
  const { world, deployment } = await watched();
  const before = (await deployment.status()).progress;
  const { progress, possible } = await held(world, deployment);
  expect(world.weight).toBe(0);
  expect(progress).toMatchObject({
    direction: 'forward',
    deadline: null,
    parked: null,
    traffic: { weight: 0, seen: 0 },
    verdict: { decision: 'hold', because: 'scores-db is open: no connection' },
    breakers: [{ name: 'scores-db', because: 'no connection' }],
  });
  expect(progress.breakers?.[0]?.state).not.toBe('closed');
  expect(possible).toEqual(['pause', 'abort', 'rollback']);
  await looked(deployment, world);
  world.away.clear();
  const after = (await watching(deployment)).progress;
  expect(after.breakers?.[0]).toMatchObject({ state: 'closed', until: null });
  expect(after.fallback).toBeNull();
  expect(after.traffic?.since).toBeGreaterThan(before.traffic?.since ?? Infinity);
  expect((after.deadline ?? 0) - (after.traffic?.since ?? 0)).toBe(3_600_000);
  expect(states(world)).toEqual(['open', 'half-open', 'closed']);
  expect(world.story).toEqual([...upTo50, 'weight 0', 'scale to 5', 'weight 50']);
  await deployment.order('skip', { actor: approver });
  await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
});

test('one bad answer alone opens nothing', async () => {
  const { world, deployment } = await watched({}, { fail: '3 of 3' });
  world.away.add(address);
  await deployment.until(({ progress }) => progress.breakers?.[0]?.answers.at(-1) === false);
  world.away.clear();
  await looked(deployment, world);
  expect([states(world), world.weight]).toEqual([[], 50]);
  await deployment.order('abort');
  await deployment.outcome();
});

test('what is away before the start gets no share; after openFor a person is called, whose retry goes on', async () => {
  const world = new World();
  world.windows = windows.good;
  world.away.add(address);
  const dependencies = [{ ...database, openFor: '3s' }];
  const deployment = await theatre.canary(world, { checks, dependencies });
  const { progress } = await deployment.untilPhase('needs-attention');
  expect(progress.parked).toEqual({ code: 'DEPENDENCY_AWAY', detail: 'scores-db is open: no connection' });
  expect(progress.direction).toBe('forward');
  expect(new Set(world.story)).toEqual(new Set(['stand up', 'weight 0']));
  expect(progress.breakers?.[0]?.until).toBeNull();
  world.away.clear();
  await deployment.order('retry');
  await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  expect(world.story).toContain('weight 5');
});

test('what the checks say of a side without its database is no reason to take all back', async () => {
  const { world, deployment } = await watched({}, { fail: '1 of 1' });
  world.away.add(address);
  world.windows = windows.bad;
  await deployment.untilPhase('held');
  await looked(deployment, world);
  world.windows = windows.good;
  world.away.clear();
  await watching(deployment);
  await deployment.order('abort');
  await deployment.outcome();
});

describe('with everything at home', () => {
  test.each(['abort', 'rollback'] as const)('%s takes all back', async (order) => {
    const { world, deployment } = await watched();
    await held(world, deployment);
    await deployment.order(order);
    const { phase } = await deployment.outcome();
    expect(phase).toBe('rolled-back');
    expect(world.story).toEqual([...upTo50, 'weight 0', ...home, ...home, ...removed]);
    expect((await deployment.status()).progress.fallback).toBeNull();
  });

  test('a share that somebody sets by hand is taken home again, and at last a person is called', async () => {
    const { world, deployment } = await watched();
    await held(world, deployment);
    for (let edits = 1; edits <= 3; edits++) {
      world.weight = 50;
      await deployment.until(({ progress }) => progress.traffic?.repairs === edits && world.weight === 0);
    }
    world.weight = 50;
    const { progress } = await deployment.untilPhase('needs-attention');
    expect(progress.parked?.code).toBe('ROUTE_DRIFTED');
    await deployment.order('retry');
    await deployment.until(({ phase }) => phase === 'held' && world.weight === 0);
    world.away.clear();
    await watching(deployment);
    expect(world.weight).toBe(50);
    await deployment.order('abort');
    await deployment.outcome();
  });

  test('paused it is looked at, its share is not set again, and no clock runs; resumed it is', async () => {
    const { world, deployment } = await watched({}, { openFor: '500ms' });
    await deployment.order('pause');
    world.away.add(address);
    await deployment.until(({ progress }) => progress.breakers?.[0]?.state === 'open' && world.weight === 0);
    await looked(deployment, world, 12);
    expect(await deployment.status()).toMatchObject({ phase: 'paused', progress: { parked: null } });
    world.away.clear();
    await deployment.until(({ progress }) => progress.breakers?.[0]?.state === 'closed');
    await looked(deployment, world);
    expect(world.weight).toBe(0);
    await deployment.order('resume');
    await watching(deployment);
    expect(world.weight).toBe(50);
    await deployment.order('abort');
    await deployment.outcome();
  });

  test('it goes on in a new run', async () => {
    const world = new World();
    world.windows = windows.good;
    const wishes = { steps, checks, dependencies: [database] };
    const deployment = await theatre.canary(world, wishes, { handOverAfter: 120 });
    await watching(deployment);
    await held(world, deployment);
    const first = await deployment.handle.describe();
    await looked(deployment, world, 30);
    await deployment.until(({ phase }) => phase === 'held');
    expect((await deployment.handle.describe()).runId).not.toBe(first.runId);
    world.away.clear();
    await watching(deployment);
    await deployment.order('abort');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
  });
});

test('what people have made longer stays so when the share is back', async () => {
  const { world, deployment } = await watched();
  await deployment.order('extend', { byMs: 1_800_000 });
  await held(world, deployment);
  world.away.clear();
  const { progress } = await watching(deployment);
  expect((progress.deadline ?? 0) - (progress.traffic?.since ?? 0)).toBe(5_400_000);
  await deployment.order('abort');
  await deployment.outcome();
});

test('while the old side is kept, what the new one needs is looked at too', async () => {
  const world = new World();
  const deployment = await theatre.blueGreen(world, { keepOld: '1h', dependencies: [database] });
  await watching(deployment, 'keep');
  await held(world, deployment);
  expect((await deployment.status()).stage).toBe('keep');
  world.away.clear();
  await watching(deployment, 'keep');
  expect(world.story.slice(-3)).toEqual(['weight 100', 'weight 0', 'weight 100']);
  await deployment.order('skip', { actor: approver });
  await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
});

test('good answers are no events: a share that is watched costs as many as without dependencies', async () => {
  const { world, deployment } = await watched({ every: '400ms' }, { every: '20ms' });
  const before = (await deployment.handle.describe()).historyLength;
  const asked = world.asked;
  await looked(deployment, world, 4);
  const events = (await deployment.handle.describe()).historyLength - before;
  expect(world.asked - asked).toBeGreaterThan(30);
  expect(events).toBeLessThan(60);
  await deployment.order('abort');
  await deployment.outcome();
});

test('a step whose time is over waits for the last answer to be good', async () => {
  const { world, deployment } = await watched({}, { fail: '99 of 99' });
  world.away.add(address);
  await deployment.until(({ progress }) => progress.breakers?.[0]?.answers.at(-1) === false);
  await deployment.order('skip', { actor: approver });
  await looked(deployment, world, 5);
  expect(await deployment.status()).toMatchObject({ stage: 'weight-50', phase: 'watching' });
  world.away.clear();
  await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
});
