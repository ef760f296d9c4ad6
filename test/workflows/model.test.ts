import type { ComparedCounts } from '../../contracts/gate.ts';
import type { ModelSpec } from '../../contracts/model-spec.ts';
import { approver, Theatre, type Underway } from '../support/deployments.ts';
import { windows } from '../support/gate-windows.ts';
import { modelSpec } from '../support/model-plans.ts';
import { checks } from '../support/release-plans.ts';
import { World } from '../support/world.ts';

let theatre: Theatre;
beforeAll(async () => void (theatre = await Theatre.open()));
afterAll(() => theatre.close());

/** Steps of which the second lasts until the story ends it. */
const long: Partial<ModelSpec> = {
  steps: [
    { weight: 5, for: '100ms' },
    { weight: 50, for: '1h' },
    { weight: 100, for: '100ms' },
  ],
};
const counted = (candidate: number, stable: number): Readonly<Record<string, ComparedCounts>> => ({
  accuracy: { candidate: { part: candidate, whole: 100_000 }, stable: { part: stable, whole: 100_000 } },
});
const sides = { candidate: { part: 'a', whole: 'b' }, stable: { part: 'c', whole: 'd' } };
const judged: Partial<ModelSpec> = { checks: { ...checks, compare: [{ name: 'accuracy', ...sides }] } };

const watching = (deployment: Underway, stage: string) =>
  deployment.until((status) => status.stage === stage && status.phase === 'watching');
const drifted = async (deployment: Underway): Promise<string | undefined> => {
  const { progress } = await deployment.untilPhase('needs-attention');
  expect(progress.parked?.code).toBe('TARGET_DRIFTED');
  return progress.parked?.detail;
};

test('a model goes step by step between two aliases, and the old version is kept warm', async () => {
  const world = new World();
  const deployment = await theatre.model(world);
  await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  expect(world.story).toEqual(['alias canary 12', 'weight 5', 'weight 100', 'alias champion 12', 'release']);
  expect(world.aliases).toEqual({ canary: '12', champion: '12' });
});

test('one order brings alias and traffic back while the old version is kept', async () => {
  const world = new World();
  const deployment = await theatre.model(world, { keepOld: '1h' });
  await deployment.until(({ stage, phase }) => stage === 'keep' && phase === 'in-grace');
  await deployment.order('rollback');
  await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
  const back = ['alias champion 11', 'weight 0', 'weight 0', 'alias canary gone'];
  expect(world.story.filter((deed) => deed !== 'raise fence').slice(4, -1)).toEqual(back);
  expect(world.aliases).toEqual({ canary: null, champion: '11' });
});

test('who allows the first step allows the alias before it', async () => {
  const world = new World();
  const deployment = await theatre.model(world, { approve: true });
  await deployment.until(({ stage, phase }) => stage === 'alias' && phase === 'waiting-for-approval');
  expect(world.story).toEqual([]);
  await deployment.order('approve', { actor: approver });
  await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
});

describe('what the candidate is worse at than the version in service', () => {
  test('takes everything back, the alias too', async () => {
    const world = new World();
    world.windows = windows.good;
    world.compared = counted(90_000, 90_000);
    const deployment = await theatre.model(world, { ...long, ...judged });
    await watching(deployment, 'weight-50');
    world.compared = counted(80_000, 90_000);
    await expect(deployment.outcome()).resolves.toMatchObject({
      phase: 'rolled-back',
      because: 'accuracy 80.00 % beside 90.00 %, worse by more than 1.00 %',
    });
    expect([world.weight, world.aliases]).toEqual([0, { canary: null, champion: '11' }]);
  });

  test.each([
    ['can not be told yet', counted(89_000, 90_000)],
    ['is not measured', {}],
  ])('holds the step when it %s', async (_, compared) => {
    const world = new World();
    world.windows = windows.good;
    world.compared = compared;
    const deployment = await theatre.model(world, judged);
    await deployment.until(() => world.looks.route > 8);
    const { stage, progress } = await deployment.status();
    expect([stage, progress.verdict?.decision]).toEqual(['weight-5', 'hold']);
    world.compared = counted(90_000, 90_000);
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });
});

describe('an alias that somebody else moves', () => {
  test('in mid-canary parks, and goes on when it is back', async () => {
    const world = new World();
    const deployment = await theatre.model(world, long);
    await watching(deployment, 'weight-50');
    world.aliases['canary'] = '13';
    expect(await drifted(deployment)).toBe('alias canary of sales_forecast points to version 13, and not to 12');
    expect([world.weight, world.aliases]).toEqual([50, { canary: '13', champion: '11' }]);
    world.aliases['canary'] = '12';
    await deployment.order('retry');
    await watching(deployment, 'weight-50');
    await deployment.order('skip', { actor: approver });
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });

  test('is never overwritten: going back, a person is asked once, and it stays where it is', async () => {
    const world = new World();
    const deployment = await theatre.model(world, long);
    await watching(deployment, 'weight-50');
    world.aliases['canary'] = '13';
    await drifted(deployment);
    await deployment.order('rollback');
    expect(await drifted(deployment)).toBe('alias canary points to version 13, and neither to none nor to 12');
    expect(world.weight).toBe(0);
    await deployment.order('retry');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.aliases).toEqual({ canary: '13', champion: '11' });
    expect(world.kinds('finding').at(-1)?.text).toContain('; it is left there');
  });

  test('keeps no candidate that fails: it goes home, and then a person is asked', async () => {
    const world = new World();
    world.windows = windows.good;
    const deployment = await theatre.model(world, { ...long, checks });
    await watching(deployment, 'weight-50');
    world.windows = windows.bad;
    world.aliases['canary'] = '13';
    expect(await drifted(deployment)).toBe('alias canary points to version 13, and neither to none nor to 12');
    expect([world.weight, (await deployment.status()).stage]).toEqual([0, 'alias']);
    await deployment.order('retry');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
  });

  test('before the promotion keeps the version in service where it is', async () => {
    const world = new World();
    const deployment = await theatre.model(world, {
      steps: [{ weight: 100, for: '1s' }],
    });
    await watching(deployment, 'weight-100');
    let look = (): void => undefined;
    world.until.set('readModel', new Promise((resolve) => (look = resolve)));
    await deployment.until(({ stage }) => stage === 'promote');
    world.aliases['champion'] = '10';
    look();
    expect(await drifted(deployment)).toBe('alias champion of sales_forecast points to version 10, and not to 11');
    expect(world.aliases['champion']).toBe('10');
  });
});

describe('a registry that is away', () => {
  test('keeps a good candidate from going on, and nothing from looking', async () => {
    const world = new World();
    world.windows = windows.good;
    world.registryAway = true;
    const deployment = await theatre.model(world, { checks });
    await deployment.until(() => world.looks.route > 8);
    const { stage, progress } = await deployment.status();
    expect([stage, progress.verdict]).toEqual([
      'weight-5',
      { decision: 'hold', because: 'the registry of models can not be reached' },
    ]);
    world.registryAway = false;
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });

  test('keeps no bad candidate from going home', async () => {
    const world = new World();
    world.windows = windows.good;
    const deployment = await theatre.model(world, { ...long, checks });
    await watching(deployment, 'weight-50');
    world.registryAway = true;
    world.windows = windows.bad;
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.weight).toBe(0);
  });

  test('holds a step without checks too', async () => {
    const world = new World();
    world.registryAway = true;
    const deployment = await theatre.model(world, modelSpec);
    await deployment.until(() => world.looks.route > 8);
    expect((await deployment.status()).stage).toBe('weight-5');
    world.registryAway = false;
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });
});
