import type { CutoverStage } from '../../contracts/plan.ts';
import type { Waiting } from '../../contracts/progress.ts';
import { judge } from '../../decisions/judge.ts';
import { currentRecord, waitFor } from '../../decisions/progress.ts';
import { judgeProof, nextProofLookMs } from '../../decisions/proof.ts';
import { alter, alterLong, findDeployment, holdColumnsOnly, holdTableIfPossible } from '../activities.ts';
import { failureOf } from '../failure-of.ts';
import type { Run } from '../run.ts';
import { again, altered, park, type StageRunner, type Turn } from './stage.ts';
import { lookBack, misfits } from './way-back.ts';

/** The moment from which the new shape leads. It waits for the proof that the application has moved. */
export const cutover: StageRunner<'cutover'> = {
  async prepare(stage, run) {
    return (await proof(stage, run)) ?? lossless(stage, run);
  },
  async perform(stage, run) {
    const input = { site: run.effect(), stage: stage.name, alteration: stage.perform };
    const facts = await alter('cutover: the new shape leads', input);
    const { name, performLong = [] } = stage;
    if (performLong.length > 0) {
      await alterLong(`${name}: long statements`, { site: run.effect(), statements: performLong });
    }
    const held = await holdColumnsOnly(`${name}: others may touch the rest of the table`, {
      site: run.effect(),
      columnsOnly: true,
    });
    if (!held.held) return park('TARGET_TAKEN', `${held.holder} holds the table`);
    return altered(facts);
  },
  async undo(stage, run) {
    await takeWholeTable(run);
    for (const alteration of stage.undo) {
      await alter('undo cutover: the old shape leads', { site: run.effect(), stage: stage.name, alteration });
    }
  },
};

async function proof({ after, name }: CutoverStage, run: Run): Promise<Turn | null> {
  if (after === null) return null;
  const found = await findDeployment(`cutover: is ${after} deployed?`, { idOrName: after });
  const { proof, because } = judgeProof(after, found);
  if (proof === 'failed') return park('GATE_HELD', `the proof failed: ${because}`);
  if (proof === 'given') return null;
  await awaitProof(run, { what: 'proof', stage: name, detail: because }, after);
  return again;
}

async function awaitProof(run: Run, waiting: Waiting, after: string): Promise<void> {
  if (run.progress.waitingFor?.detail !== waiting.detail) {
    run.update(waitFor(run.progress, waiting));
    run.note('waiting', `waits for ${after}: ${waiting.detail}`, { what: 'proof', after });
  }
  await run.until(() => run.givesWay, nextLook(run), `until the next look at ${after}`);
}

function nextLook(run: Run): number {
  const now = Date.now();
  return now + nextProofLookMs(now - (currentRecord(run.progress)?.beganAt ?? now));
}

/** Before the cutover one must be able to go back without losing a row, and be able to see that. */
async function lossless(stage: CutoverStage, run: Run): Promise<Turn | null> {
  const verdict = judge([{ name: misfits, max: 0 }], [await lookBack(run, stage.name, stage.kind, stage.wayBack)]);
  run.update({ ...run.progress, verdict });
  return verdict.decision === 'promote' ? null : park('GATE_HELD', verdict.because);
}

/** Good to have, not needed: the undo touches only columns that are ours, and must not fail for another's lock. */
async function takeWholeTable(run: Run): Promise<void> {
  try {
    await holdTableIfPossible('undo cutover: hold the whole table', { site: run.effect(), columnsOnly: false });
  } catch (error) {
    if (failureOf(error) === null) throw error;
  }
}
