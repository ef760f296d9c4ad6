import type { CheckFacts, LookResult } from '../contracts/activities.ts';
import type { Finding, TablePlan } from '../contracts/plan.ts';
import { rowsOf } from './judge-preflight.ts';
import { textOf } from './row-text.ts';

/** What speaks for and against dropping the old shape. A `refused` keeps it; the rest is what the approver signs. */
export function judgeEvidence(
  plan: TablePlan,
  looks: Readonly<Record<string, LookResult>>,
  rows: CheckFacts | null,
): readonly Finding[] {
  return [...equality(rows), ...dependents(plan, looks), ...readers(plan, looks), ...losses(plan, looks)];
}

function equality(rows: CheckFacts | null): Finding[] {
  if (rows === null) return [];
  if (rows.wrong > 0) {
    return [
      {
        code: 'VERIFY_DIFFERS',
        level: 'refused',
        detail: `${rows.wrong} rows differ between the two shapes`,
        count: rows.wrong,
        keys: rows.keys,
      },
    ];
  }
  return [{ code: 'SHAPES_AGREE', level: 'noted', detail: 'both shapes of every row agree' }];
}

const dropsColumns = (plan: TablePlan): boolean =>
  plan.spec.changes.some((change) => ['type', 'drop', 'rename'].some((field) => field in change));

function dependents(plan: TablePlan, looks: Readonly<Record<string, LookResult>>): Finding[] {
  if (!dropsColumns(plan)) return [];
  const rows = rowsOf(looks, 'dependents');
  if (rows === null)
    return [{ code: 'DEPENDENTS_UNSEEN', level: 'unknown', detail: 'objects that use the old column can not be seen' }];
  return rows.map((row): Finding =>
    row['blocks'] === true
      ? {
          code: 'STILL_READ',
          level: 'refused',
          detail: `${textOf(row['view']) === '' ? textOf(row['name']) : `view ${textOf(row['view'])}`} reads the old column`,
        }
      : { code: 'GOES_TOO', level: 'warned', detail: `${textOf(row['name'])} is dropped with the old column` },
  );
}

function readers(plan: TablePlan, looks: Readonly<Record<string, LookResult>>): Finding[] {
  if (!dropsColumns(plan)) return [];
  const row = rowsOf(looks, 'readers')?.[0];
  if (row === undefined) {
    return [
      {
        code: 'READERS_UNSEEN',
        level: 'unknown',
        detail: 'pg_stat_statements is not there: who still reads the old column can not be seen',
      },
    ];
  }
  const statements = Number(row['statements']);
  return statements === 0
    ? [{ code: 'NO_READERS', level: 'noted', detail: 'no statement since the statistics began names the old column' }]
    : [
        {
          code: 'STILL_READ',
          level: 'warned',
          detail: `${statements} kinds of statement name the old column`,
          count: statements,
        },
      ];
}

function losses(plan: TablePlan, looks: Readonly<Record<string, LookResult>>): Finding[] {
  if (!dropsColumns(plan)) return [];
  const row = rowsOf(looks, 'wayBack')?.[0];
  if (row === undefined)
    return [{ code: 'MISFITS', level: 'unknown', detail: 'values that the old shape can not hold were not counted' }];
  const misfits = Number(row['misfits']);
  return misfits === 0
    ? []
    : [{ code: 'MISFITS', level: 'noted', detail: `${misfits} rows live only in the new shape`, count: misfits }];
}
