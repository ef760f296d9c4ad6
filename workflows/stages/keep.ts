import { currentRecord, waitUntil } from '../../decisions/progress.ts';
import { again, promote, type StageRunner } from './stage.ts';

/** Waits, with the old side ready: until it ends, going back is one change of the route. */
export const keep: StageRunner<'keep'> = {
  prepare: null,
  async perform(stage, run) {
    if (run.progress.deadline === null) {
      const deadline = Date.now() + stage.forMs;
      run.update(waitUntil(run.progress, deadline));
      run.note('waiting', `keeps the old side until ${new Date(deadline).toISOString()}`, {
        what: stage.name,
        deadline,
      });
    }
    const { deadline } = run.progress;
    const { paused } = run.desk;
    if (!paused && deadline !== null && Date.now() >= deadline)
      return promote(currentRecord(run.progress)?.note ?? 'the time is over');
    const changed = (): boolean => run.progress.deadline !== deadline || run.desk.paused !== paused;
    await run.until(changed, paused ? null : deadline, 'keep: until its end');
    return again;
  },
  undo: null,
};
