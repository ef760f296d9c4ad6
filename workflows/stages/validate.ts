import { condition } from '@temporalio/workflow';
import type { ValidateStage } from '../../contracts/plan.ts';
import { probeSide } from '../activities.ts';
import type { Run } from '../run.ts';
import { again, promote, type StageRunner, type Turn } from './stage.ts';

/** Asks the new side until it answers well so many times in a row, or too often not. */
export const validate: StageRunner<'validate'> = {
  prepare: null,
  async perform(stage, run) {
    let [inRow, because] = [0, 'it was not asked'];
    for (let tries = 1; tries <= stage.tries; tries++) {
      if (run.givesWay) return again;
      const fault = await ask(stage, tries, run);
      because = fault ?? because;
      inRow = fault === null ? inRow + 1 : 0;
      if (inRow >= stage.needs) return promote(`it answers: ${inRow} times in a row, after ${tries}`, { tries });
      if (tries < stage.tries) await condition(() => run.givesWay, stage.everyMs);
    }
    return failed(stage, because);
  },
  undo: null,
};

/** The first thing that is wrong; null: nothing is. */
async function ask({ name, probes }: ValidateStage, tries: number, run: Run): Promise<string | null> {
  for (const probe of probes) {
    const fault = await probeSide(`${name}: try ${tries}`, { probe });
    if (fault !== null) return fault;
    if (run.givesWay) return null;
  }
  return null;
}

const failed = ({ tries, needs }: ValidateStage, because: string): Turn => ({
  next: 'fail',
  failure: {
    code: 'VALIDATION_FAILED',
    detail: `in ${tries} tries it did not answer ${needs} times in a row: ${because}`,
  },
});
