import { ApplicationFailure } from '@temporalio/workflow';
import type { LookResult } from '../../contracts/activities.ts';
import type { StageKind } from '../../contracts/catalog.ts';
import type { Reading } from '../../contracts/gate.ts';
import type { Statement } from '../../contracts/plan.ts';
import { wayBackOf } from '../../decisions/way-back.ts';
import { look } from '../activities.ts';
import type { Run } from '../run.ts';

/** What the count of writes that the old shape cannot hold is called in readings. */
export const misfits = 'writes that the old shape cannot hold';

/** The SQLSTATE of a look at a table that is not there: our schema goes only with the last claim. */
const undefinedTable = '42P01';

const claimGone = ({ input, target }: Run): ApplicationFailure =>
  ApplicationFailure.create({
    type: 'CLAIM_GONE',
    message: `our tables are gone from target ${target}, and with them the claim of ${input.id}`,
    nonRetryable: true,
  });

/** Looks whether one can still go back; the reading's value is null when the target did not say. */
export async function lookBack(run: Run, stage: string, begun: StageKind, statement: Statement): Promise<Reading> {
  const target = run.target;
  const seen = await look(`${stage}: can one go back?`, { target, statements: [statement], mode: 'read-only' });
  const result = seen[statement.id];
  if (result !== undefined && !result.ok && result.code === undefinedTable) throw claimGone(run);
  const value = countOf(result);
  setWayBack(run, begun, value);
  return { name: misfits, value, unit: 'rows', at: Date.now() };
}

/** Keeps the verdict on the way back; an event tells when it becomes another one. */
export function setWayBack(run: Run, begun: StageKind, value: number | null): void {
  const before = run.progress.wayBack;
  const wayBack = wayBackOf(before, begun, value, Date.now());
  run.update({ ...run.progress, wayBack });
  if (wayBack.since !== before.since) {
    run.note('way-back', `going back: ${wayBack.verdict}, ${wayBack.because}`, { ...wayBack });
  }
}

/** The count that such a look gave; null: the target did not say. */
export function countOf(result: LookResult | undefined): number | null {
  const value = result?.ok === true ? result.rows[0]?.['misfits'] : null;
  if (value === null || value === undefined || value === '') return null;
  const count = Number(value);
  return Number.isFinite(count) ? count : null;
}
