import type { GraceStage } from '../../contracts/plan.ts';
import { judge } from '../../decisions/judge.ts';
import { nextInGrace } from '../../decisions/grace.ts';
import { currentRecord, inPass, waitUntil } from '../../decisions/progress.ts';
import type { Run } from '../run.ts';
import { checkSlice, differ, judgeRows } from './row-check.ts';
import { again, park, promote, type StageRunner, type Turn } from './stage.ts';
import { lookBack, misfits } from './way-back.ts';

/** Keeps the old shape true for a while, looks at a decaying pace whether both still agree, and ends at its deadline. */
export const grace: StageRunner<'grace'> = {
  prepare: null,
  async perform(stage, run) {
    if (run.progress.deadline === null) openGrace(stage, run);
    const step = nextInGrace(stage, run.progress, run.desk.paused, Date.now());
    switch (step.next) {
      case 'end':
        return promote(currentRecord(run.progress)?.note ?? 'the time is over');
      case 'wait':
        return waitInGrace(run, step.until);
      case 'look':
        return lookAtBoth(stage, run);
      case 'check':
        return check(stage, run);
    }
  },
  undo: null,
};

function openGrace({ forMs, name }: GraceStage, run: Run): void {
  const deadline = Date.now() + forMs;
  run.update(waitUntil(run.progress, deadline));
  run.note('waiting', `keeps the old shape until ${new Date(deadline).toISOString()}`, { what: name, deadline });
}

/** One timer, until what was next when the waiting began; an order that changes that ends it. */
async function waitInGrace(run: Run, until: number | null): Promise<Turn> {
  const { deadline } = run.progress;
  const { paused } = run.desk;
  const changed = (): boolean => run.progress.deadline !== deadline || run.desk.paused !== paused;
  await run.until(changed, until, 'grace: until the next look or its end');
  return again;
}

async function lookAtBoth(stage: GraceStage, run: Run): Promise<Turn> {
  const reading = await lookBack(run, stage.name, stage.kind, stage.wayBack);
  const verdict = judge([{ name: misfits }], [reading]);
  run.update({ ...run.progress, verdict });
  if (verdict.decision !== 'promote') return park('GATE_HELD', verdict.because);
  if (stage.check !== null) run.update(inPass(run.progress, `${stage.name}-${run.effect().turn}`));
  return again;
}

async function check({ name, check }: GraceStage, run: Run): Promise<Turn> {
  const facts = check === null ? null : await checkSlice(run, name, check);
  if (facts === null) return again;
  const verdict = judgeRows(run, facts);
  if (verdict.decision === 'promote') return again;
  run.note('verdict', `${verdict.decision}: ${verdict.because}`, { ...verdict });
  return differ(facts);
}
