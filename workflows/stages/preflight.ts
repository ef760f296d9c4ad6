import type { CheckFacts } from '../../contracts/activities.ts';
import { failures, type Failure } from '../../contracts/failures.ts';
import type { Finding, PreflightStage } from '../../contracts/plan.ts';
import { judgePreflight } from '../../decisions/judge-preflight.ts';
import { inPass } from '../../decisions/progress.ts';
import { look } from '../activities.ts';
import { failureOf } from '../failure-of.ts';
import type { Run } from '../run.ts';
import { checkSlice, readRows } from './row-check.ts';
import { again, promote, type StageRunner } from './stage.ts';

/** Looks at everything before anything is touched, and says all findings at once. */
export const preflight: StageRunner<'preflight'> = {
  prepare: null,
  async perform(stage, run) {
    const rows = await everyRow(stage, run);
    if (rows === 'more') return again;

    const looks = await look('preflight: catalog', {
      target: run.target,
      statements: stage.looks,
      mode: 'read-only',
    });
    const findings = judgePreflight(run.tablePlan, looks, isFailure(rows) ? null : rows);
    for (const finding of findings) run.note('finding', finding.detail, asData(finding));
    run.update({ ...run.progress, findings });

    const refused = findings.filter(({ level }) => level === 'refused');
    if (refused.length > 0) return { next: 'refuse', because: refused.map(({ detail }) => detail).join('; ') };
    // No finding explains why the rows could not be read: then it is the failure itself that has to be answered.
    return isFailure(rows) ? { next: 'fail', failure: rows } : promote(summary(findings, rows));
  },
  undo: null,
};

/**
 * Every row through the conversion. A failure is handed on, not thrown: the catalog may say why (a missing right), and
 * all findings belong together.
 */
async function everyRow(stage: PreflightStage, run: Run): Promise<CheckFacts | Failure | 'more' | null> {
  if (stage.everyRow === null) return null;
  try {
    const facts = await checkSlice(run, stage.name, stage.everyRow);
    if (facts === null) return 'more';
    readRows(run, facts, 'rows that do not convert');
    return facts;
  } catch (error) {
    const failure = failureOf(error);
    if (failure === null || failures[failure.code].family === 'busy') throw error;
    run.update(inPass(run.progress, null));
    return failure;
  }
}

const isFailure = (rows: CheckFacts | Failure | null): rows is Failure => rows !== null && 'code' in rows;

const summary = (findings: readonly Finding[], rows: CheckFacts | null): string => {
  const warned = findings.filter(({ level }) => level === 'warned').length;
  return `${rows === null ? 'no rows to convert' : `${rows.seen} rows convert`}, ${warned} warnings`;
};

/** A finding as event data. */
export const asData = ({ code, level, detail, pointer, count, keys }: Finding) => ({
  code,
  level,
  detail,
  pointer: pointer ?? null,
  count: count ?? null,
  keys: keys === undefined ? [] : [...keys],
});
