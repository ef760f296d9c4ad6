import type { CutoverStage, RowCheck } from '../../contracts/plan.ts';
import type { Waiting } from '../../contracts/progress.ts';
import { isApproved } from '../../decisions/approvals.ts';
import { judge } from '../../decisions/judge.ts';
import { currentRecord, waitFor } from '../../decisions/progress.ts';
import { judgeProof, nextProofLookMs } from '../../decisions/proof.ts';
import { alter, alterLong, findDeployment, holdColumnsOnly, holdTableIfPossible } from '../activities.ts';
import { failureOf } from '../failure-of.ts';
import type { Run } from '../run.ts';
import { checkSlice, differ, judgeRows } from './row-check.ts';
import { again, altered, park, type StageRunner, type Turn } from './stage.ts';
import { lookBack, misfits } from './way-back.ts';

/** The moment from which the new shape leads. It waits for the proof that the application has moved. */
export const cutover: StageRunner<'cutover'> = {
  async prepare(stage, run) {
    const early = await proof(stage, run);
    if (early !== null) return early;
    const check = stage.check ?? null;
    // plans of before go the same steps as ever, to the tick: their histories are replayed
    if (check === null || !isApproved(run.plan, run.progress, stage)) return lossless(stage, run);
    return (await lossless(stage, run)) ?? stillEqual(stage, check, run);
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

/**
 * Days may lie between the verification and the word of a person. What was written without our trigger since then, or
 * came with a partition, is in no shape but the old one. Once approved: before, it would be looked at in vain.
 */
async function stillEqual({ name }: CutoverStage, check: RowCheck, run: Run): Promise<Turn | null> {
  const facts = await checkSlice(run, name, check);
  if (facts === null) return again;
  return judgeRows(run, facts).decision === 'promote' ? null : differ(facts);
}

/** Good to have, not needed: the undo touches only columns that are ours, and must not fail for another's lock. */
async function takeWholeTable(run: Run): Promise<void> {
  try {
    await holdTableIfPossible('undo cutover: hold the whole table', { site: run.effect(), columnsOnly: false });
  } catch (error) {
    if (failureOf(error) === null) throw error;
  }
}
