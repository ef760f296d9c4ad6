import { bringUp, remove, workloadOf } from './candidate.ts';
import { backToReady } from './pods.ts';
import { promote, type StageRunner } from './stage.ts';

/** Removes the candidate; its undo brings it up again, because what comes before may need it on the way back. */
export const retire: StageRunner<'retire'> = {
  prepare: null,
  async perform(stage, run) {
    await remove(stage, run);
    return promote(`${stage.candidate.name} is gone`);
  },
  async undo(stage, run) {
    await bringUp(stage, run);
    await backToReady(workloadOf(stage), stage.name, run);
  },
};
