import { condition } from '@temporalio/workflow';
import type { ValidateStage } from '../../contracts/plan.ts';
import type { Asked } from '../../contracts/progress.ts';
import { backoff } from '../../decisions/backoff.ts';
import { probeSide } from '../activities.ts';
import type { Run } from '../run.ts';
import { again, promote, type StageRunner, type Turn } from './stage.ts';

const notAsked: Asked = { tries: 0, inRow: 0, because: 'it was not asked' };

/** Asks the new side until it answers well so many times in a row, or too often not; paused, it asks no more. */
export const validate: StageRunner<'validate'> = {
  prepare: null,
  async perform(stage, run) {
    // a new run goes on counting; who resumes or tries again has it counted anew
    let asked = run.progress.asked ?? notAsked;
    run.update({ ...run.progress, asked: null });
    while (asked.tries < stage.tries) {
      const fault = await ask(stage, asked.tries + 1, run);
      if (run.givesWay) return again;
      asked = answered(asked, fault);
      if (asked.inRow >= stage.needs) return enough(asked);
      if (asked.tries < stage.tries && (await condition(() => run.givesWay, waitMs(stage, asked)))) return again;
      if (run.isLong) return handBack(asked, run);
    }
    return failed(stage, asked);
  },
  undo: null,
};

const answered = ({ tries, inRow, because, badInRow = 0 }: Asked, fault: string | null): Asked => ({
  tries: tries + 1,
  inRow: fault === null ? inRow + 1 : 0,
  because: fault ?? because,
  badInRow: fault === null ? 0 : badInRow + 1,
});

const waitMs = ({ everyMs, backoffMs = everyMs }: ValidateStage, { badInRow = 0 }: Asked): number =>
  backoff(everyMs, backoffMs, badInRow);

const enough = ({ inRow, tries }: Asked): Turn =>
  promote(`it answers: ${inRow} times in a row, after ${tries}`, { tries });

function handBack(asked: Asked, run: Run): Turn {
  run.update({ ...run.progress, asked });
  return again;
}

/** The first thing that is wrong; null: nothing is. */
async function ask({ name, probes }: ValidateStage, tries: number, run: Run): Promise<string | null> {
  for (const probe of probes) {
    const fault = await probeSide(`${name}: try ${tries}`, { probe });
    if (fault !== null || run.givesWay) return fault;
  }
  return null;
}

const failed = ({ needs }: ValidateStage, { tries, because }: Asked): Turn => ({
  next: 'fail',
  failure: {
    code: 'VALIDATION_FAILED',
    detail: `in ${tries} tries it did not answer ${needs} times in a row: ${because}`,
  },
});
