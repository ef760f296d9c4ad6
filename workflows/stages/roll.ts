import { CancellationScope, patched } from '@temporalio/workflow';
import type { JsonObject } from '../../contracts/json.ts';
import type { RollStage } from '../../contracts/plan.ts';
import type { RollStatus } from '../../contracts/workload.ts';
import { applyWorkload, holdRollout } from '../activities.ts';
import type { Run } from '../run.ts';
import { unless } from '../unless.ts';
import { backInTime, performBatch } from './batch.ts';
import { backToReady, follow, sliceMs as usualSliceMs } from './pods.ts';
import { again, promote, type StageRunner, type Turn } from './stage.ts';

/**
 * Kubernetes itself rolls the pods; this applies the template and follows. Each turn applies it anew: what somebody has
 * changed of it meanwhile is as the plan says again. Paused, Kubernetes stops where it is, and so does its deadline.
 */
export const roll: StageRunner<'roll'> = {
  prepare: null,
  async perform(stage, run) {
    await asked(stage, run);
    await apply(stage, run, stage.apply, 'apply');
    if (stage.batch !== undefined) return (await performBatch(stage, stage.batch, run)) ?? hold(stage, run);
    const status = await unless(
      () => run.givesWay,
      () => follow(stage.workload, stage.name, run, isAlone(run) ? { alone: true } : {}),
    );
    if (status === null) return hold(stage, run);
    if (status.done) return ended(status, run);
    if (!status.stuck) return again;
    return { next: 'fail', failure: { code: 'ROLLOUT_STUCK', detail: `${named(stage)}: ${status.because}` } };
  },
  async undo(stage, run) {
    if (waits(run)) await untilEnded(stage, run);
    await apply(stage, run, stage.back, 'undo');
    if (stage.batch !== undefined && stage.workload.kind === 'StatefulSet') await backInTime(stage, stage.batch, run);
    else await backToReady(stage.workload, stage.name, run, isAlone(run));
  },
};

/** Of what can't live beside itself no pod may be there when another one starts, not even one that is ending. */
const isAlone = ({ plan: { strategy } }: Run): boolean => strategy === 'recreate';

/** Releases that were under way before this was so go on as they were where it takes another activity. */
const waits = (run: Run): boolean => isAlone(run) && patched('recreate-waits-for-pods');

/** Before pods are told to end: whether we may ask for those that are ending at all. */
async function asked({ workload, name, apply: { spec } }: RollStage, run: Run): Promise<void> {
  const isStop = typeof spec === 'object' && spec !== null && 'replicas' in spec && spec['replicas'] === 0;
  if (isStop && waits(run)) await follow(workload, name, run, { alone: true, sliceMs: 0 });
}

/** An abort may have come while the pods of before were ending: those that take their place wait for them, too. */
async function untilEnded({ workload, name }: RollStage, run: Run): Promise<void> {
  for (let sliceMs = 0; ; sliceMs = usualSliceMs) {
    const { wanted, done } = await follow(workload, name, run, { alone: true, sliceMs });
    if (done || wanted > 0) return;
  }
}

/** All its pods are there; where those of before had to end first, it says for how long there was none. */
function ended({ because, updated: pods }: RollStatus, run: Run): Turn {
  const endedAt = isAlone(run) ? (run.progress.stages[run.progress.at - 1]?.endedAt ?? null) : null;
  if (endedAt === null) return promote(because, { pods });
  const downtimeMs = Date.now() - endedAt;
  return promote(`${because}; nobody served for ${(downtimeMs / 1_000).toFixed(1)} s`, { pods, downtimeMs });
}

const named = ({ workload: { namespace, name } }: RollStage): string => `${namespace}/${name}`;

const apply = (stage: RollStage, run: Run, body: JsonObject, what: string): Promise<void> =>
  applyWorkload(`${what}: ${stage.workload.kind.toLowerCase()} ${named(stage)}`, {
    site: run.effect(),
    workload: stage.workload,
    apply: body,
  });

/** An order wants the rollout to stop where it is; a StatefulSet has its partition for that. */
async function hold({ workload, name }: RollStage, run: Run): Promise<Turn> {
  if (workload.kind === 'StatefulSet') return again;
  await CancellationScope.nonCancellable(() =>
    holdRollout(`${name}: stop where it is`, { site: run.effect(), workload, paused: true }),
  );
  return again;
}
