import type { Batch, RollStage } from '../../contracts/plan.ts';
import { removeBroken } from '../activities.ts';
import { waitUntil } from '../../decisions/progress.ts';
import type { Run } from '../run.ts';
import { unless } from '../unless.ts';
import { notUndone } from './not-undone.ts';
import { follow, sliceMs } from './pods.ts';
import { again, promote, type Turn } from './stage.ts';

/** How soon pods that keep a StatefulSet from going on are looked for again, ms; each time twice as late. */
const [soonMs, latestMs] = [1_000, 60_000];

/** Follows the pods of one batch, whose template is applied, until they are there; null: an order came. */
export async function performBatch(stage: RollStage, { pods, deadlineMs }: Batch, run: Run): Promise<Turn | null> {
  const { workload, name } = stage;
  if (workload.kind === 'StatefulSet') await clear(stage, run);
  const deadline = run.progress.deadline ?? Date.now() + deadlineMs;
  run.update(waitUntil(run.progress, deadline));
  const leftMs = Math.max(0, deadline - Date.now());
  const status = await unless(
    () => run.givesWay,
    () => follow(workload, name, run, { sliceMs: Math.min(sliceMs, leftMs), pods }),
  );
  if (status === null) {
    // it begins anew when it goes on
    run.update({ ...run.progress, deadline: null });
    return null;
  }
  if (status.done) return promote(status.because, { pods: status.updated });
  if (Date.now() < (run.progress.deadline ?? deadline)) return again;
  const detail = `${workload.namespace}/${workload.name}: ${status.because} after ${deadlineMs / 1_000} s`;
  // who tries again has the whole time again
  run.update({ ...run.progress, deadline: null });
  return { next: 'fail', failure: { code: 'ROLLOUT_STUCK', detail } };
}

/** Follows a StatefulSet whose template is as before until its pods are too; late, a person has to look. */
export async function backInTime(stage: RollStage, { pods, deadlineMs }: Batch, run: Run): Promise<void> {
  const { workload, name } = stage;
  const until = Date.now() + deadlineMs * Math.max(1, pods);
  for (let waitMs = soonMs; ; waitMs = Math.min(latestMs, 2 * waitMs)) {
    await clear(stage, run);
    const status = await follow(workload, name, run, { sliceMs: waitMs });
    if (status.done) return;
    if (Date.now() >= until)
      throw notUndone('ROLLOUT_STUCK', `${workload.namespace}/${workload.name}: ${status.because}`);
  }
}

const clear = async ({ workload, name }: RollStage, run: Run): Promise<void> => {
  const count = await removeBroken(`${name}: remove pods that never become ready`, { site: run.effect(), workload });
  if (count > 0) run.note('finding', `${name}: removed ${count} pods that were not ready`, { pods: count });
};
