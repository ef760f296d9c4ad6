import { approver, type Theatre, type Underway } from '../support/deployments.ts';
import type { CanarySpec, DependencySpec, RunningSpec, StepSpec } from '../../contracts/release-spec.ts';
import { windows } from '../support/gate-windows.ts';
import { anyApprover } from '../support/plans.ts';
import { checks } from '../support/release-plans.ts';
import { comparison } from '../support/shadow-facts.ts';
import { World } from '../support/world.ts';

/** A workflow that has come to its end: its id, and the run that is kept when it is not the latest. */
export interface Told {
  readonly workflowId: string;
  readonly runId?: string;
}

const coordinators = { blue: 'http://blue:8080', green: 'http://green:8080' };
/** Queries that run at a switch finish where they began. */
const finishing: RunningSpec = {
  engine: 'trino',
  coordinators,
  finishOn: 'old',
  route: 'trino',
  address: 'http://trino',
};

/** The stories whose histories are kept: all branches on which a deployment can be found when new code arrives. */
export const stories: Readonly<Record<string, (theatre: Theatre) => Promise<Told>>> = {
  async 'expand-contract-deployed'(theatre) {
    const world = new World();
    world.slices = 3;
    const wishes = {
      cutover: anyApprover,
      contract: anyApprover,
      after: 'checkout-4-2',
      graceMs: 600,
      cadenceMs: [200],
    };
    const deployment = await theatre.deploy(world, wishes, { searchAttributePrefix: 'Lakeshift' });
    await deployment.untilPhase('waiting-for-proof');
    world.others.set('checkout-4-2', 'deployed');
    await approve(deployment);
    await deployment.until(({ stage }) => stage === 'contract');
    await approve(deployment);
    return ended(deployment);
  },

  async 'expand-contract-steered'(theatre) {
    const world = new World();
    world.slow = true;
    const deployment = await theatre.deploy(world, { graceMs: 3_600_000 });
    await deployment.until(() => world.story.includes('backfill'));
    await deployment.order('setRate', { rowsPerSecond: 100 });
    await deployment.signal('pause');
    await deployment.until(() => world.paused);
    await deployment.signal('pause');
    world.slow = false;
    await deployment.order('resume');
    await deployment.untilPhase('in-grace');
    await deployment.order('extend', { byMs: 1_000 });
    await deployment.order('skip', { actor: approver });
    return ended(deployment);
  },

  async 'expand-contract-ejected'(theatre) {
    const world = new World();
    world.broken.set('backfill', 'CLAIM_GONE');
    const deployment = await theatre.deploy(world);
    await deployment.untilPhase('needs-attention');
    for (const effect of ['raiseFence', 'alter', 'alterLong']) world.broken.set(effect, 'CLAIM_GONE');
    await deployment.order('rollback');
    return ended(deployment);
  },

  async 'expand-contract-aborted-in-backfill'(theatre) {
    const world = new World();
    world.dead.add('backfill');
    const deployment = await theatre.deploy(world);
    await deployment.until(() => world.story.includes('backfill'));
    await deployment.order('abort');
    return ended(deployment);
  },

  async 'expand-contract-rolled-back-in-grace'(theatre) {
    const deployment = await theatre.deploy(new World(), { graceMs: 3_600_000 });
    await deployment.untilPhase('in-grace');
    await deployment.order('rollback');
    return ended(deployment);
  },

  async 'expand-contract-built'(theatre) {
    const deployment = await theatre.deploy(new World(), { build: true, graceMs: 100 });
    return ended(deployment);
  },

  async 'expand-contract-aborted-in-build'(theatre) {
    const world = new World();
    world.dead.add('buildIndex');
    const deployment = await theatre.deploy(world, { build: true });
    await deployment.until(() => world.story.includes('build one'));
    await deployment.order('abort');
    return ended(deployment);
  },

  async 'expand-contract-parked-and-retried'(theatre) {
    const world = new World();
    world.wrong = { equal: 2 };
    const deployment = await theatre.deploy(world, { graceMs: 100 });
    await deployment.untilPhase('needs-attention');
    world.wrong = {};
    await deployment.order('retry');
    return ended(deployment);
  },

  async 'expand-contract-compared-at-cutover'(theatre) {
    const world = new World();
    const deployment = await theatre.deploy(world, { cutover: anyApprover, compares: true, graceMs: 100 });
    await deployment.untilPhase('waiting-for-approval');
    world.wrong = { equal: 2 };
    await deployment.order('approve', { actor: approver });
    await deployment.untilPhase('needs-attention');
    world.wrong = {};
    await deployment.order('retry');
    return ended(deployment);
  },

  async 'expand-contract-retried-from-backfill'(theatre) {
    const world = new World();
    world.wrong = { equal: 2 };
    const deployment = await theatre.deploy(world, { cutover: anyApprover, compares: true, graceMs: 100 });
    await deployment.untilPhase('needs-attention');
    world.wrong = {};
    await deployment.order('retry');
    await deployment.untilPhase('waiting-for-approval');
    world.wrong = { equal: 3 };
    await deployment.order('approve', { actor: approver });
    await deployment.untilPhase('needs-attention');
    world.wrong = {};
    await deployment.order('retry');
    return ended(deployment);
  },

  async 'expand-contract-partitioned'(theatre) {
    const world = new World();
    world.slices = 2;
    world.notes = ['public.next_year was attached or made'];
    return ended(await theatre.deploy(world, { partitioned: true, graceMs: 100 }));
  },

  async 'expand-contract-refused'(theatre) {
    const world = new World();
    world.wrong = { conversion: 3 };
    return ended(await theatre.deploy(world));
  },

  async 'expand-contract-rejected'(theatre) {
    const deployment = await theatre.deploy(new World(), { cutover: anyApprover });
    await deployment.untilPhase('waiting-for-approval');
    await deployment.order('reject', { actor: approver });
    return ended(deployment);
  },

  async 'expand-contract-handed-over'(theatre) {
    const world = new World();
    world.slices = 1_000_000;
    const deployment = await theatre.deploy(world, {}, { handOverAfter: 120 });
    const { runId } = await deployment.handle.describe();
    while ((await deployment.handle.describe()).runId === runId) await deployment.until(() => true);
    await deployment.order('abort');
    await deployment.outcome();
    return { workflowId: deployment.id, runId };
  },

  async 'rolling-deployed'(theatre) {
    const world = new World();
    world.rollouts = [{ done: false, updated: 1, wanted: 3, stuck: false, because: '1 of 3 pods are new' }];
    return ended(await theatre.roll(world));
  },

  async 'rolling-stuck'(theatre) {
    const world = new World();
    world.rollouts = [{ done: false, updated: 0, wanted: 3, stuck: true, because: '0 of 3 pods are new' }];
    return ended(await theatre.roll(world));
  },

  async 'canary-deployed'(theatre) {
    const world = new World();
    world.windows = windows.good;
    return ended(await theatre.canary(world, { checks, keepOld: '50ms' }));
  },

  async 'canary-taken-home-by-a-check'(theatre) {
    const world = new World();
    world.windows = windows.good;
    const deployment = await theatre.canary(world, { ...watchedAt50(), checks });
    await watching(deployment);
    world.windows = windows.bad;
    return ended(deployment);
  },

  async 'canary-aborted-while-watching'(theatre) {
    const world = new World();
    const deployment = await theatre.canary(world, watchedAt50());
    await watching(deployment);
    world.dead.add('watchTraffic');
    await deployment.order('abort');
    return ended(deployment);
  },

  async 'canary-parked-and-retried'(theatre) {
    const world = new World();
    world.windows = windows.good;
    const deployment = await theatre.canary(world, { ...watchedAt50({ onFail: 5 }), checks });
    await watching(deployment);
    world.windows = windows.bad;
    await deployment.untilPhase('needs-attention');
    world.windows = windows.good;
    await deployment.order('retry');
    await watching(deployment);
    world.weight = 7;
    await deployment.until(({ progress }) => progress.traffic?.repairs === 1 && world.weight === 50);
    await deployment.order('skip', { actor: approver });
    return ended(deployment);
  },

  async 'canary-held-by-a-breaker'(theatre) {
    const world = new World();
    world.windows = windows.good;
    const dependencies = [{ ...needed, openFor: '2s' }];
    const deployment = await theatre.canary(world, { ...watchedAt50(), checks, dependencies, keepOld: '50ms' });
    await watching(deployment);
    world.away.add('db:5432');
    await deployment.untilPhase('held');
    await deployment.untilPhase('needs-attention');
    world.away.clear();
    await deployment.order('retry');
    await watching(deployment);
    await deployment.order('skip', { actor: approver });
    return ended(deployment);
  },

  async 'canary-aborted-while-held'(theatre) {
    const world = new World();
    const deployment = await theatre.canary(world, { ...watchedAt50(), dependencies: [needed] });
    await watching(deployment);
    world.away.add('db:5432');
    await deployment.until(({ phase, progress }) => phase === 'held' && (progress.traffic?.since ?? null) !== null);
    await deployment.order('abort');
    return ended(deployment);
  },

  async 'blue-green-deployed'(theatre) {
    const world = new World();
    world.faults = ['it answers 503'];
    return ended(await theatre.blueGreen(world));
  },

  async 'blue-green-rolled-back-in-keep'(theatre) {
    const deployment = await theatre.blueGreen(new World(), { keepOld: '1h' });
    await deployment.untilPhase('in-grace');
    await deployment.order('rollback');
    return ended(deployment);
  },

  async 'blue-green-not-answering'(theatre) {
    const world = new World();
    world.faults = ['it answers 503', null, 'it answers 500'];
    return ended(await theatre.blueGreen(world));
  },

  async 'blue-green-finishing-on-old'(theatre) {
    const world = new World();
    world.queries = [2, 1];
    world.strays = ['HTTP status 404'];
    return ended(await theatre.blueGreen(world, { running: finishing, keepOld: '50ms' }));
  },

  async 'blue-green-drained-on-the-way-back'(theatre) {
    const world = new World();
    const deployment = await theatre.blueGreen(world, { running: finishing, keepOld: '1h' });
    await deployment.untilPhase('in-grace');
    world.queries = [1, null, null];
    await deployment.order('rollback');
    await deployment.untilPhase('needs-attention');
    await deployment.order('retry');
    return ended(deployment);
  },

  async 'blue-green-waiting-in-vain'(theatre) {
    const world = new World();
    world.queries = Array.from({ length: 1_000 }, () => 1);
    // so long that it is over after a few counts
    world.until.set('followQueries', new Promise((resolve) => setTimeout(resolve, 300)));
    const running = { engine: 'trino', coordinators, wait: 'idle', timeout: '200ms' } as const;
    return ended(await theatre.blueGreen(world, { running }));
  },

  async 'recreate-deployed'(theatre) {
    const deployment = await theatre.recreate(new World());
    await deployment.untilPhase('waiting-for-approval');
    await deployment.order('approve', { actor: { ...approver, groups: ['platform'] } });
    return ended(deployment);
  },

  async 'shadow-deployed'(theatre) {
    const world = new World();
    world.slicesOfShadow = [comparison({ differ: 8 }), comparison({ differ: 8 }), comparison({ differ: 1 })];
    return ended(await theatre.shadow(world));
  },

  async 'shadow-parked-and-retried'(theatre) {
    const world = new World();
    world.slicesOfShadow = [comparison({ differ: 100 })];
    const deployment = await theatre.shadow(world, { onFail: 'hold' });
    await deployment.untilPhase('needs-attention');
    world.dead.add('compareSides');
    await deployment.order('retry');
    await deployment.untilPhase('comparing');
    await deployment.order('pause');
    world.dead.clear();
    world.slicesOfShadow = [comparison({ differ: 100 })];
    await deployment.untilPhase('paused');
    await deployment.order('resume');
    await deployment.untilPhase('needs-attention');
    await deployment.order('rollback');
    return ended(deployment);
  },

  async 'release-deployed'(theatre) {
    const deployment = await theatre.release(new World(), { graceMs: 100, contract: anyApprover });
    await approve(deployment);
    return ended(deployment);
  },

  async 'release-rolled-back-in-grace'(theatre) {
    const deployment = await theatre.release(new World(), { graceMs: 3_600_000 });
    await deployment.untilPhase('in-grace');
    await deployment.order('rollback');
    return ended(deployment);
  },

  async 'model-deployed'(theatre) {
    const world = new World();
    world.windows = windows.good;
    const whole = 100_000;
    world.compared = { accuracy: { candidate: { part: 90_000, whole }, stable: { part: 90_000, whole } } };
    const sides = { candidate: { part: 'a', whole: 'b' }, stable: { part: 'c', whole: 'd' } };
    return ended(
      await theatre.model(world, { checks: { ...checks, compare: [{ name: 'accuracy', ...sides }] }, approve: false }),
    );
  },

  async 'model-rolled-back-in-keep'(theatre) {
    const deployment = await theatre.model(new World(), { keepOld: '1h' });
    await deployment.until(({ stage, phase }) => stage === 'keep' && phase === 'in-grace');
    await deployment.order('rollback');
    return ended(deployment);
  },

  async 'model-drifted'(theatre) {
    const world = new World();
    const deployment = await theatre.model(world, { steps: [{ weight: 50, for: '1h' }, { weight: 100 }] });
    await deployment.until(({ phase }) => phase === 'watching');
    world.aliases['canary'] = '13';
    await deployment.untilPhase('needs-attention');
    await deployment.order('abort');
    await deployment.until(({ stage, phase }) => stage === 'alias' && phase === 'needs-attention');
    await deployment.order('retry');
    return ended(deployment);
  },

  async 'rolling-batches'(theatre) {
    const world = new World();
    world.faults = ['no connection'];
    const probes = [{ tcp: 'checkout.shop:8080' }];
    const batches = { size: 2, validate: { probes, every: '0s', needs: 1 }, pause: '1s' };
    const scaler = { name: 'checkout', uid: '77aa', selectPolicy: null, ownedBy: null, holder: null };
    return ended(await theatre.roll(world, { spec: { batches }, facts: { scalers: [scaler] } }));
  },

  async 'rolling-batch-late'(theatre) {
    const world = new World();
    world.rollouts = [{ done: false, updated: 0, wanted: 1, stuck: false, because: '0 of 1 pods are new' }];
    world.until.set('awaitRollout', new Promise((resolve) => setTimeout(resolve, 3_000)));
    const rollout = {
      strategy: 'RollingUpdate',
      surge: null,
      unavailable: null,
      graceSeconds: 30,
      deadlineSeconds: 600,
      paused: false,
      partition: 0,
    };
    const spec = { kind: 'StatefulSet', deadline: '1s' } as const;
    return ended(await theatre.roll(world, { spec, facts: { kind: 'StatefulSet', rollout } }));
  },

  'inspect-table': async (theatre) => ({ workflowId: await theatre.inspect(new World()) }),
};

/** What a candidate needs, looked at often. */
const needed: DependencySpec = {
  name: 'db',
  probe: { tcp: 'db:5432' },
  every: '20ms',
  fail: '2 of 3',
  backoff: '40ms',
};

/** A canary that stays at its second step. */
const watchedAt50 = (wishes: Partial<StepSpec> = {}): Partial<CanarySpec> => ({
  steps: [
    { weight: 5, for: '100ms' },
    { weight: 50, for: '1h', ...wishes },
    { weight: 100, for: '100ms' },
  ],
});

const watching = (deployment: Underway) =>
  deployment.until(({ stage, phase }) => stage === 'weight-50' && phase === 'watching');

async function approve(deployment: Underway): Promise<void> {
  await deployment.untilPhase('waiting-for-approval');
  await deployment.order('approve', { actor: approver });
}

async function ended(deployment: Underway): Promise<Told> {
  await deployment.outcome();
  return { workflowId: deployment.id };
}
