import { approver, Theatre, type Underway } from '../support/deployments.ts';
import { windows } from '../support/gate-windows.ts';
import { checks } from '../support/release-plans.ts';
import { World } from '../support/world.ts';

let theatre: Theatre;
beforeAll(async () => void (theatre = await Theatre.open()));
afterAll(() => theatre.close());

describe('a run whose history grows long', () => {
  test('hands over to the next one, which knows the pause, the deadline, the rate and the orders', async () => {
    const world = new World();
    const deployment = await theatre.deploy(
      world,
      { graceMs: 3_600_000, cadenceMs: [50] },
      {
        handOverAfter: 150,
      },
    );
    const first = (await deployment.handle.describe()).runId;
    await deployment.untilPhase('in-grace');
    await deployment.order('extend', { id: 'e1', byMs: 60_000 });
    await deployment.order('pause', { reason: 'lunch' });
    const before = await deployment.status();
    await nextRun(deployment, first);

    const after = await deployment.status();
    expect(after).toMatchObject({ phase: 'paused', paused: true, stage: 'grace', startedAt: before.startedAt });
    expect(after.progress.deadline).toBe(before.progress.deadline);
    await expect(deployment.order('extend', { id: 'e1', byMs: 60_000 })).rejects.toMatchObject({
      cause: { type: 'ORDER_REPEATED' },
    });
    await deployment.order('resume');
    await deployment.order('skip', { actor: approver });
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'deployed' });
    expect(world.events.map(({ seq }) => seq)).toEqual(world.events.map((_, index) => index + 1));
    expect(world.kinds('started')).toHaveLength(1);
  });

  test('hands over in mid-backfill, and an abort in the next run still undoes what the first one began', async () => {
    const world = new World();
    world.slices = 1_000_000;
    const deployment = await theatre.deploy(world, {}, { handOverAfter: 120 });
    const first = (await deployment.handle.describe()).runId;
    await nextRun(deployment, first);
    expect((await deployment.status()).stage).toBe('backfill');
    await deployment.order('abort');
    await expect(deployment.outcome()).resolves.toMatchObject({ phase: 'rolled-back' });
    expect(world.story.slice(-5)).toEqual(['raise fence', 'drop trigger', 'drop column', 'validate', 'release']);
  });
});

/** Waits until the deployment runs in another run than `first`. */
async function nextRun(deployment: Underway, first: string): Promise<void> {
  while ((await deployment.handle.describe()).runId === first) await deployment.until(() => true);
}

test('a share that is looked at each minute for a week fits into runs of 4,000 events', async () => {
  const world = new World();
  world.windows = windows.good;
  const steps = [{ weight: 50, for: '7d' }, { weight: 100 }];
  const handOverAfter = 300;
  const deployment = await theatre.canary(world, { steps, checks, every: '1ms' }, { handOverAfter });
  const runs: string[] = [];
  const looks: number[] = [];
  while (runs.length < 3) {
    const { runId } = await deployment.handle.describe();
    if (!runs.includes(runId)) {
      runs.push(runId);
      looks.push(world.looks.route);
    }
    await deployment.until(() => true);
  }
  const second = theatre.client.workflow.getHandle(deployment.id, runs[1]);
  const { events = [] } = await second.fetchHistory();
  const length = events?.length ?? Infinity;
  const perLook = length / ((looks[2] ?? 0) - (looks[1] ?? 0));
  // a turn and the hand-over come on top of what a run is allowed; a week of looks is a few dozen runs
  expect(length).toBeLessThan(handOverAfter + 60);
  expect((7 * 24 * 60 * perLook) / 4_000).toBeLessThan(60);
  expect((await deployment.status()).progress).toMatchObject({ traffic: { weight: 50, repairs: 0 }, parked: null });
  await deployment.order('abort');
  await deployment.outcome();
});

describe('a ledger that is down', () => {
  test('stops no stage, and hears everything when it is back', async () => {
    const world = new World();
    world.ledgerDown = true;
    const deployment = await theatre.deploy(world, { graceMs: 300 });
    await deployment.until(({ phase }) => phase === 'deployed');
    expect(world.story.at(-1)).toBe('release');
    expect(world.entries).toEqual([]);
    world.ledgerDown = false;
    await deployment.outcome();
    expect(world.events.map(({ seq }) => seq)).toEqual(world.events.map((_, index) => index + 1));
    expect(world.events.at(-1)?.kind).toBe('ended');
  });

  test('that refuses an entry for good is asked again later', async () => {
    const world = new World();
    world.broken.set('record', 'INTERNAL');
    const deployment = await theatre.deploy(world, { graceMs: 100 });
    await deployment.until(({ phase }) => phase === 'deployed');
    world.broken.clear();
    await deployment.outcome();
    expect(world.events.at(-1)?.kind).toBe('ended');
  });
});

test('the plan as a checklist and the search attributes can be seen in Temporal', async () => {
  const world = new World();
  const deployment = await theatre.deploy(world, { graceMs: 3_600_000 }, { searchAttributePrefix: 'Lakeshift' });
  await deployment.untilPhase('in-grace');
  const seen = async () => (await deployment.handle.describe()).typedSearchAttributes.getAll();
  const value = async (name: string) => (await seen()).find(({ key }) => key.name === `Lakeshift${name}`)?.value;
  await deployment.until(() => world.kinds('waiting').length > 0);
  expect(await value('Phase')).toBe('in-grace');
  expect(await value('Target')).toBe('shop');
  expect(await value('Deadline')).toBeInstanceOf(Date);
  const metadata = await deployment.handle.query('__temporal_workflow_metadata');
  expect(JSON.stringify(metadata)).toContain('- [x] **cutover**');
  await deployment.order('abort');
  await deployment.outcome();
});
