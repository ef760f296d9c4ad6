import { sleep } from '@temporalio/workflow';
import type { RollStatus, WorkloadRef } from '../../contracts/workload.ts';
import { awaitRollout } from '../activities.ts';
import type { Run } from '../run.ts';
import { unless } from '../unless.ts';
import { notUndone } from './not-undone.ts';

/** How long one slice of following a rollout takes, ms. */
export const sliceMs = 300_000;
/** On the way back: how often it may be found standing still, and how long to wait in between, ms. */
const mostStuck = 3;
const stuckMs = 4_000;

/** Follows a rollout for one slice of time, ms; `pods`: so many new ones are enough; `alone`: none may be ending either. */
export const follow = (
  workload: WorkloadRef,
  stage: string,
  run: Run,
  only: { readonly sliceMs?: number; readonly pods?: number; readonly alone?: boolean } = {},
): Promise<RollStatus> =>
  awaitRollout(`${stage}: follow the rollout`, { target: run.target, workload, sliceMs, ...only });

/** Follows a rollout until it is over or stands still; null: the time of the slice is over, or an order came. */
export async function untilReady(workload: WorkloadRef, stage: string, run: Run): Promise<RollStatus | null> {
  const status = await unless(
    () => run.givesWay,
    () => follow(workload, stage, run),
  );
  return status === null || !(status.done || status.stuck) ? null : status;
}

/** That the pods of before serve again is part of being back; when they do not either, a person has to look. */
export async function backToReady(workload: WorkloadRef, stage: string, run: Run, alone = false): Promise<void> {
  for (let stuck = 0; ;) {
    const status = await follow(workload, stage, run, alone ? { alone } : {});
    if (status.done) return;
    if (!status.stuck) continue;
    // what stood still before is said for a moment longer
    if (++stuck === mostStuck)
      throw notUndone('ROLLOUT_STUCK', `${workload.namespace}/${workload.name}: ${status.because}`);
    await sleep(stuckMs, { summary: 'the pods of before: do they come?' });
  }
}
