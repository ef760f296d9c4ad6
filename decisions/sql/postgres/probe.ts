import type { ColumnFacts, ExpressionFacts, TableFacts } from '../../../contracts/facts.ts';
import type { LookResult } from '../../../contracts/activities.ts';
import type { Statement } from '../../../contracts/plan.ts';
import type { Spec } from '../../../contracts/spec.ts';
import type { Change, Expression } from './changes/change.ts';
import { changesOf } from './changes/index.ts';
import { literal, quote } from './identifier.ts';
import { textOf } from '../../row-text.ts';

const probe = 'pg_temp.lakeshift_probe';

/**
 * Lets the server judge the expressions of a spec, on an empty temporary table of the same columns, in a transaction
 * that is rolled back: each must be accepted as a stored generated column. That means immutable, of its own row
 * alone, without subquery, aggregate or set; and of a type that can be cast to the column's.
 */
export function probes(spec: Spec, facts: TableFacts): readonly Statement[] {
  const changes = changesOf(spec.changes, facts.columns);
  return [
    {
      id: 'path',
      note: 'names are looked up as in every statement of ours',
      sql: `SET LOCAL search_path = ${searchPath(facts.schema)}`,
    },
    {
      id: 'table',
      note: 'an empty temporary table of the same columns',
      sql: `CREATE TEMPORARY TABLE lakeshift_probe ON COMMIT DROP AS SELECT * FROM ${quote(facts.schema)}.${quote(facts.table)} WITH NO DATA`,
    },
    ...changes.flatMap((change) => [...newColumn(change), ...change.expressions.flatMap((e) => tests(change, e))]),
  ];
}

/** What the server said of each expression and new type. */
export function expressionFacts(
  spec: Spec,
  columns: readonly ColumnFacts[],
  results: Readonly<Record<string, LookResult>>,
): readonly ExpressionFacts[] {
  return changesOf(spec.changes, columns).flatMap((change) =>
    [...newColumn(change).map(({ id }) => id), ...change.expressions.map((e) => pointerOf(change, e))].map((pointer) =>
      factsOf(pointer, results),
    ),
  );
}

function factsOf(pointer: string, results: Readonly<Record<string, LookResult>>): ExpressionFacts {
  const result = results[pointer];
  const reads = results[`${pointer}:reads`];
  return {
    pointer,
    ok: result?.ok === true,
    code: result === undefined || result.ok ? null : result.code,
    name: result === undefined || result.ok ? null : result.name,
    reads: reads?.ok === true ? reads.rows.map((row) => textOf(row['name'])) : [],
  };
}

const newColumn = ({ added }: Change): readonly Statement[] =>
  added === null
    ? []
    : [
        {
          id: added.pointer,
          note: 'the type exists and the name is free',
          sql: `ALTER TABLE ${probe} ADD COLUMN ${quote(added.name)} ${added.type}`,
        },
      ];

const pointerOf = ({ index }: Change, { field }: Expression): string => `/changes/${index}/${field}`;

function tests(change: Change, expression: Expression): Statement[] {
  const pointer = pointerOf(change, expression);
  const scratch = `lakeshift_${change.index}_${expression.field.toLowerCase()}`;
  return [
    {
      id: pointer,
      note: 'accepted as a generation expression',
      sql: `ALTER TABLE ${probe} ADD COLUMN ${scratch} ${expression.type} GENERATED ALWAYS AS (${expression.sql}) STORED`,
    },
    { id: `${pointer}:reads`, note: 'columns that it reads', sql: readsSql(scratch) },
  ];
}

const readsSql = (scratch: string): string => `SELECT DISTINCT r.attname::text AS name FROM pg_attribute s
JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = s.attrelid AND d.refobjsubid > 0 AND d.refobjsubid <> s.attnum
  AND ((d.classid = 'pg_class'::regclass AND d.objid = s.attrelid AND d.objsubid = s.attnum)
    OR (d.classid = 'pg_attrdef'::regclass AND d.objid = (SELECT x.oid FROM pg_attrdef x WHERE x.adrelid = s.attrelid AND x.adnum = s.attnum)))
JOIN pg_attribute r ON r.attrelid = s.attrelid AND r.attnum = d.refobjsubid
WHERE s.attrelid = '${probe}'::regclass AND s.attname = ${literal(scratch)} ORDER BY 1`;

/** Where names of functions and types are looked up in every statement of ours that holds an expression. */
export const searchPath = (schema: string): string => `pg_catalog, ${quote(schema)}, pg_temp`;
