import { judge } from '../../decisions/judge.ts';
import { checkSlice, keysOf, readRows, rowsThatDiffer } from './row-check.ts';
import { again, park, promote, skipped, type StageRunner } from './stage.ts';

/** Compares every row of both shapes; nothing goes on while one differs. */
export const verify: StageRunner<'verify'> = {
  prepare: null,
  async perform(stage, run) {
    if (stage.check === null) return skipped('there is nothing to compare');
    const facts = await checkSlice(run, stage.name, stage.check);
    if (facts === null) return again;
    const verdict = judge([{ name: rowsThatDiffer, max: 0 }], [readRows(run, facts)]);
    run.update({ ...run.progress, verdict });
    run.note('verdict', `${verdict.decision}: ${verdict.because}`, { ...verdict });
    if (verdict.decision === 'promote') return promote(`${facts.seen} rows are the same in both shapes`);
    return park('VERIFY_DIFFERS', `${facts.wrong} of ${facts.seen} rows differ${keysOf(facts)}`);
  },
  undo: null,
};
