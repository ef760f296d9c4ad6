import type { DrainStage } from '../../contracts/plan.ts';
import { currentRecord, waitUntil } from '../../decisions/progress.ts';
import { notWaited, queryWords } from '../../decisions/running.ts';
import { dropFollowUps } from '../activities.ts';
import type { Run } from '../run.ts';
import { waited } from './queries.ts';
import { again, park, promote, type StageRunner, type Turn } from './stage.ts';

/** Waits until no query runs on the side that was left; what goes on there must not lose its pods. */
export const drain: StageRunner<'drain'> = {
  prepare: null,
  async perform(stage, run) {
    if (run.progress.deadline === null) run.update(waitUntil(run.progress, Date.now() + stage.timeoutMs));
    // only an order to skip leaves a note before the end
    const skipped = currentRecord(run.progress)?.note ?? null;
    return skipped === null ? emptied(stage, run) : over(stage, skipped, run);
  },
  // the switch itself is what has to be taken back, and puts its rules in place again
  undo: null,
};

async function emptied(stage: DrainStage, run: Run): Promise<Turn> {
  const { coordinator, timeoutMs, name } = stage;
  const { deadline } = run.progress;
  const changed = (): boolean => run.givesWay || run.progress.deadline !== deadline;
  const count = await waited(name, coordinator, timeoutMs, run, changed);
  if (count === null) return again;
  if (count.running === 0) return over(stage, `no query runs on ${coordinator.name} any more`, run);
  if (Date.now() < (deadline ?? 0)) return again;
  // who tries again waits anew
  run.update({ ...notWaited(run.progress), deadline: null });
  return park('QUERIES_RUNNING', queryWords(coordinator.name, count));
}

async function over({ followUps, name }: DrainStage, note: string, run: Run): Promise<Turn> {
  if (followUps !== null)
    await dropFollowUps(`${name}: follow-up requests go like all others`, { site: run.effect(), followUps });
  run.update(notWaited(run.progress));
  return promote(note);
}
