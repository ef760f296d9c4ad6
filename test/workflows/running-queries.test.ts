import type { RunningSpec } from '../../contracts/release-spec.ts';
import { approver, Theatre } from '../support/deployments.ts';
import { World } from '../support/world.ts';

let theatre: Theatre;
beforeAll(async () => void (theatre = await Theatre.open()));
afterAll(() => theatre.close());

const coordinators = { blue: 'http://blue:8080', green: 'http://green:8080' };
const onOld: RunningSpec = { engine: 'trino', coordinators, finishOn: 'old', route: 'trino', address: 'http://trino' };
const idle: RunningSpec = { engine: 'trino', coordinators, wait: 'idle' };
const accepted: RunningSpec = { engine: 'trino', coordinators, accept: 'failed-queries' };

const up = 'apply trino-green 3';
const cleaned = 'apply trino-blue 0';
const upBack = ['raise fence', 'apply trino-green 0', 'release'];

describe('queries that finish where they began', () => {
  test('keep their way before the switch, and the old side until they have ended', async () => {
    const world = new World();
    world.queries = [2, 1];
    world.strays = ['a follow-up request of trino-green does not reach it: HTTP status 404'];
    const deployment = await theatre.blueGreen(world, { running: onOld });
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
    expect(world.story).toEqual([
      up,
      'keep follow-ups',
      'weight 100',
      'count trino-blue',
      'count trino-blue',
      'count trino-blue',
      'drop follow-ups',
      cleaned,
      'release',
    ]);
    expect(world.kinds('waiting').map(({ text }) => text)).toContain('drain: 2 queries still run on trino-blue');
    expect(world.kinds('stage-ended').map(({ text }) => text)).toContain(
      'drain ended: no query runs on trino-blue any more',
    );
  });

  test('whose way is never seen switch nothing, and a person is called', async () => {
    const world = new World();
    world.strays = Array.from({ length: 100 }, () => 'HTTP status 404');
    const deployment = await theatre.blueGreen(world, { running: onOld });
    const { progress } = await deployment.untilPhase('needs-attention');
    expect(progress.parked).toEqual({ code: 'TRAFFIC_ELSEWHERE', detail: 'HTTP status 404' });
    expect(world.story).toEqual([up, 'keep follow-ups']);
    await deployment.order('rollback');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.story.slice(2)).toEqual([
      'raise fence',
      'weight 0',
      'count trino-green',
      'drop follow-ups',
      ...upBack,
    ]);
  }, 60_000);

  test('on the new side are waited for on the way back, once the traffic is home', async () => {
    const world = new World();
    const deployment = await theatre.blueGreen(world, { running: onOld, keepOld: '1h' });
    await deployment.untilPhase('in-grace');
    world.queries = [1, 1];
    await deployment.order('rollback');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.story.slice(3)).toEqual([
      'raise fence',
      'keep follow-ups',
      'weight 0',
      'count trino-green',
      'count trino-green',
      'count trino-green',
      'drop follow-ups',
      ...upBack,
    ]);
  });

  test('on a new side that nobody can see are no reason to stay there: a person looks afterwards', async () => {
    const world = new World();
    const deployment = await theatre.blueGreen(world, { running: onOld, keepOld: '1h' });
    await deployment.untilPhase('in-grace');
    world.queries = [null, null, null];
    world.strays = Array.from({ length: 3 }, () => 'Trino of trino-green gives no answer');
    await deployment.order('rollback');
    const { progress } = await deployment.untilPhase('needs-attention');
    expect(progress.parked).toEqual({
      code: 'QUERIES_RUNNING',
      detail: 'nobody could see what runs on trino-green: it gives no answer',
    });
    expect(world.story.slice(3)).toEqual([
      'raise fence',
      'keep follow-ups',
      'weight 0',
      ...Array.from({ length: 3 }, () => 'count trino-green'),
    ]);
    await deployment.order('retry');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.story.slice(-4)).toEqual(['drop follow-ups', ...upBack]);
  }, 30_000);

  test('for too long, or unseen, call a person; who skips has decided that they end', async () => {
    const world = new World();
    world.queries = Array.from({ length: 100_000 }, () => null);
    const deployment = await theatre.blueGreen(world, { running: { ...onOld, timeout: '3s' } });
    const { stage, progress } = await deployment.untilPhase('needs-attention');
    expect([stage, progress.parked?.code]).toEqual(['drain', 'QUERIES_RUNNING']);
    expect(world.story).not.toContain(cleaned);
    await deployment.order('retry');
    await deployment.untilPhase('in-grace');
    await deployment.order('extend', { byMs: 3_600_000 });
    await deployment.order('skip', { actor: approver });
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
    expect(world.story.slice(-3)).toEqual(['drop follow-ups', cleaned, 'release']);
  });

  test('of a plan that is taken back while they are waited for still have their way', async () => {
    const world = new World();
    world.queries = Array.from({ length: 1_000 }, () => 1);
    const deployment = await theatre.blueGreen(world, { running: onOld });
    await deployment.until(({ stage, progress }) => stage === 'drain' && (progress.running ?? null) !== null);
    await deployment.order('abort');
    // not before: with none it would go on to the pods
    world.queries = [];
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    // what was counted before that counts too
    const back = world.story
      .slice(world.story.indexOf('raise fence'))
      .filter((what, at, all) => what !== 'count trino-green' || all[at - 1] !== what);
    expect(back).toEqual([
      'raise fence',
      'keep follow-ups',
      'weight 0',
      'count trino-green',
      'drop follow-ups',
      ...upBack,
    ]);
  });
});

describe('a switch that waits until nothing runs', () => {
  test('comes when the last query has ended', async () => {
    const world = new World();
    world.queries = [3, null, 1];
    const deployment = await theatre.blueGreen(world, { running: idle });
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
    const counts = Array.from({ length: 4 }, () => 'count trino-blue');
    expect(world.story).toEqual([up, ...counts, 'weight 100', 'count trino-blue', cleaned, 'release']);
  });

  test.each([
    ['rollback', 'rolled-back'],
    ['park', 'needs-attention'],
  ] as const)('does not come after its time, and %s is what follows', async (onFailure, phase) => {
    const world = new World();
    world.queries = Array.from({ length: 10_000 }, () => 1);
    const deployment = await theatre.blueGreen(world, { running: { ...idle, timeout: '200ms' }, onFailure });
    const { progress } = await deployment.untilPhase(phase);
    expect(JSON.stringify([progress.parked, progress.because])).toContain('QUERIES_RUNNING');
    expect(world.story).not.toContain('weight 100');
    if (phase === 'rolled-back') return;
    world.queries = [];
    await deployment.order('retry');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  });
});

test('a switch under queries that may fail asks a person first, and writes down how many there were', async () => {
  const world = new World();
  world.queries = [4];
  const deployment = await theatre.blueGreen(world, { running: accepted });
  const { stage } = await deployment.untilPhase('waiting-for-approval');
  expect([stage, world.story]).toEqual(['switch', [up]]);
  await deployment.order('approve', { actor: approver });
  await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
  expect(world.story).toEqual([up, 'count trino-blue', 'weight 100', cleaned, 'release']);
  expect(world.kinds('finding').map(({ text }) => text)).toContain(
    'switch: 4 queries still run on trino-blue; that they fail was accepted',
  );
});
