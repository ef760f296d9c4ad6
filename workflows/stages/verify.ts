import { checkSlice, differ, judgeRows } from './row-check.ts';
import { again, promote, skipped, type StageRunner } from './stage.ts';

/** Compares every row of both shapes; nothing goes on while one differs. */
export const verify: StageRunner<'verify'> = {
  prepare: null,
  async perform(stage, run) {
    if (stage.check === null) return skipped('there is nothing to compare');
    const facts = await checkSlice(run, stage.name, stage.check);
    if (facts === null) return again;
    const verdict = judgeRows(run, facts);
    run.note('verdict', `${verdict.decision}: ${verdict.because}`, { ...verdict });
    if (verdict.decision === 'promote') return promote(`${facts.seen} rows are the same in both shapes`);
    return differ(facts);
  },
  undo: null,
};
