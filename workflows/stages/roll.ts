import { ApplicationFailure, CancellationScope, condition, sleep } from '@temporalio/workflow';
import type { RollStage } from '../../contracts/plan.ts';
import type { JsonObject } from '../../contracts/json.ts';
import { applyWorkload, awaitRollout, holdRollout } from '../activities.ts';
import type { Run } from '../run.ts';
import { again, promote, type StageRunner, type Turn } from './stage.ts';

/** How long one slice of following a rollout takes, ms. */
const sliceMs = 300_000;
/** On the way back: how often it may be found standing still, and how long to wait in between, ms. */
const mostStuck = 3;
const stuckMs = 4_000;

/**
 * Kubernetes itself rolls the pods; this applies the template and follows. Each turn applies it anew: what somebody has
 * changed of it meanwhile is as the plan says again. Paused, Kubernetes stops where it is, and so does its deadline.
 */
export const roll: StageRunner<'roll'> = {
  prepare: null,
  async perform(stage, run) {
    await apply(stage, run, stage.apply, 'apply');
    const status = await Promise.race([follow(stage, run), held(run)]);
    if (status === 'held') return hold(stage, run);
    if (status.done) return promote(status.because, { pods: status.updated });
    if (!status.stuck) return again;
    return { next: 'fail', failure: { code: 'ROLLOUT_STUCK', detail: `${named(stage)}: ${status.because}` } };
  },
  async undo(stage, run) {
    await apply(stage, run, stage.back, 'undo');
    await isBack(stage, run);
  },
};

/** That the old pods serve again is part of being back; when they do not either, a person has to look. */
async function isBack(stage: RollStage, run: Run): Promise<void> {
  for (let stuck = 0; ;) {
    const status = await follow(stage, run);
    if (status.done) return;
    if (!status.stuck) continue;
    // what stood still before is said for a moment longer
    if (++stuck === mostStuck) throw stuckFailure(stage, status.because);
    await sleep(stuckMs, { summary: 'the pods of before: do they come?' });
  }
}

const stuckFailure = (stage: RollStage, because: string): ApplicationFailure =>
  ApplicationFailure.create({ type: 'ROLLOUT_STUCK', message: `${named(stage)}: ${because}`, nonRetryable: true });

const named = ({ workload: { namespace, name } }: RollStage): string => `${namespace}/${name}`;

const apply = (stage: RollStage, run: Run, body: JsonObject, what: string): Promise<void> =>
  applyWorkload(`${what}: deployment ${named(stage)}`, { site: run.effect(), workload: stage.workload, apply: body });

const follow = ({ workload, name }: RollStage, run: Run) =>
  awaitRollout(`${name}: follow the rollout`, { target: run.plan.target, workload, sliceMs });

/** Ends when an order wants the rollout to stop where it is. */
async function held(run: Run): Promise<'held'> {
  await condition(() => run.givesWay);
  return 'held';
}

async function hold({ workload, name }: RollStage, run: Run): Promise<Turn> {
  await CancellationScope.nonCancellable(() =>
    holdRollout(`${name}: stop where it is`, { site: run.effect(), workload, paused: true }),
  );
  return again;
}
