import { Theatre } from '../support/deployments.ts';
import { World } from '../support/world.ts';

let theatre: Theatre;
beforeAll(async () => void (theatre = await Theatre.open()));
afterAll(() => theatre.close());

describe('a backfill whose source of latency gives no data', () => {
  test('goes on for a while, then calls a person and stops; it never goes back by itself', async () => {
    const world = new World();
    world.slices = 3;
    world.blindForMs = 299_000;
    const deployment = await theatre.deploy(world, { onFailure: 'rollback' });
    await deployment.outcome();
    expect(world.story.filter((what) => what === 'backfill')).toHaveLength(3);

    const blind = new World();
    blind.slices = 3;
    blind.blindForMs = 300_000;
    const parked = await theatre.deploy(blind, { onFailure: 'rollback', name: 'blind' });
    const { progress } = await parked.untilPhase('needs-attention');
    expect(progress.parked).toEqual({ code: 'METRICS_BLIND', detail: 'no p99 from shop: no data' });
    expect(blind.story.filter((what) => what === 'backfill')).toHaveLength(1);
    blind.blindForMs = 0;
    await parked.order('retry');
    expect(await parked.outcome()).toMatchObject({ phase: 'deployed' });
  });
});

test('what the application felt in each slice is added up in the status', async () => {
  const world = new World();
  world.slices = 2;
  await (await theatre.deploy(world)).outcome();
  expect(world.entries.at(-1)?.status.progress.felt).toMatchObject({
    lockWaits: 0,
    deadlocks: 2,
    errors: null,
    p99BesideMs: null,
  });
});
