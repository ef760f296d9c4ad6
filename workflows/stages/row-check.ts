import type { CheckFacts } from '../../contracts/activities.ts';
import type { Reading, Verdict } from '../../contracts/gate.ts';
import type { RowCheck } from '../../contracts/plan.ts';
import { judge } from '../../decisions/judge.ts';
import { countRows, currentRecord, inPass } from '../../decisions/progress.ts';
import { checkRows } from '../activities.ts';
import type { Run } from '../run.ts';
import { park, type Turn } from './stage.ts';

/** How long one slice of a row check takes, ms. */
const sliceMs = 20_000;

/** What rows that differ are called in readings. */
export const rowsThatDiffer = 'rows that differ';

/** Runs one slice of a row check, in the pass that is under way or else in a new one; null: there is more to come. */
export async function checkSlice(run: Run, stage: string, check: RowCheck): Promise<CheckFacts | null> {
  const site = run.effect();
  const pass = run.progress.pass ?? `${stage}-${site.turn}`;
  const rows = run.tablePlan.facts.rows;
  run.update(inPass(run.progress, pass));
  const facts = await checkRows(`${stage}: compare rows`, { site, stage, check, pass, rows, sliceMs });
  run.update(inPass(counted(run, facts, rows), facts.finished ? null : pass));
  return facts.finished ? facts : null;
}

/** A finished check as a reading; it goes into the ledger. */
export function readRows(run: Run, { seen, wrong, lossy, keys }: CheckFacts, name = rowsThatDiffer): Reading {
  const reading = { name, value: wrong, unit: 'rows', at: Date.now() };
  run.note('reading', `${name}: ${wrong} of ${seen}`, { ...reading, seen, lossy, keys: [...keys] });
  return reading;
}

/** The verdict on a finished comparison of every row of both shapes. */
export function judgeRows(run: Run, facts: CheckFacts): Verdict {
  const verdict = judge([{ name: rowsThatDiffer, max: 0 }], [readRows(run, facts)]);
  run.update({ ...run.progress, verdict });
  return verdict;
}

/** Somebody has to look at the rows that differ. */
export const differ = (facts: CheckFacts): Turn =>
  park('VERIFY_DIFFERS', `${facts.wrong} of ${facts.seen} rows differ${keysOf(facts)}`);

/** The first keys of rows that differ, for people; never a value. */
export const keysOf = ({ keys }: CheckFacts): string => (keys.length === 0 ? '' : `, first keys: ${keys.join(', ')}`);

/** Grace compares again and again: there the bar would go back to 0 each time, so it is left alone. */
const counted = (run: Run, { seen }: CheckFacts, rows: number | null): Run['progress'] =>
  currentRecord(run.progress)?.state === 'running' && run.stage()?.kind !== 'grace'
    ? countRows(run.progress, seen, rows)
    : run.progress;
