import type { ColumnFacts, ExpressionFacts, TableFacts } from '../../../contracts/facts.ts';
import type { LookResult } from '../../../contracts/activities.ts';
import type { Row } from '../../../contracts/json.ts';
import type { Statement } from '../../../contracts/plan.ts';
import type { TableSpec } from '../../../contracts/spec.ts';
import { followProbes } from './carry/follow.ts';
import type { Change, Expression } from './changes/change.ts';
import { changesOf } from './changes/index.ts';
import { literal, quote } from './identifier.ts';
import { textOf } from '../../row-text.ts';
import { searchPath } from './ours.ts';

const probe = 'pg_temp.lakeshift_probe';

/**
 * Lets the server judge the expressions of a spec, on an empty temporary table of the same columns, in a transaction
 * that is rolled back: each must be accepted as a stored generated column. That means immutable, of its own row
 * alone, without subquery, aggregate or set; and of a type that can be cast to the column's.
 */
export function probes(spec: TableSpec, facts: TableFacts): readonly Statement[] {
  const changes = changesOf(spec, facts.columns);
  const { actsAs } = facts.rights;
  return [
    ...(actsAs === undefined
      ? []
      : [{ id: 'role', note: 'as the owner of the table', sql: `SET LOCAL ROLE ${quote(actsAs)}` }]),
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
    ...followProbes(spec, facts),
  ];
}

/** What the server said of each expression and new type. */
export function expressionFacts(
  spec: TableSpec,
  columns: readonly ColumnFacts[],
  results: Readonly<Record<string, LookResult>>,
): readonly ExpressionFacts[] {
  return changesOf(spec, columns).flatMap((change) =>
    [
      ...(change.added === null ? [] : [change.added.pointer]),
      ...change.expressions.map((e) => pointerOf(change, e)),
    ].map((pointer) => factsOf(pointer, results)),
  );
}

function factsOf(pointer: string, results: Readonly<Record<string, LookResult>>): ExpressionFacts {
  const result = results[pointer];
  const { code, name } = result?.ok === false ? result : { code: null, name: null };
  const calls = namesOf(results[`${pointer}:calls`]);
  return {
    pointer,
    ok: result?.ok === true,
    code,
    name,
    reads: namesOf(results[`${pointer}:reads`]),
    ...(calls.length === 0 ? {} : { calls }),
    ...typeFacts(results[`${pointer}:fills`], results[`${pointer}:null`]),
  };
}

const typeFacts = (fills: LookResult | undefined, nothing: LookResult | undefined) => ({
  ...(rowsOf(fills)[0]?.['fills'] === true ? { fills: true } : {}),
  ...(nothing?.ok === false ? { refusesNull: true } : {}),
});

const namesOf = (result: LookResult | undefined): readonly string[] => rowsOf(result).map((row) => textOf(row['name']));

const rowsOf = (result: LookResult | undefined): readonly Row[] => (result?.ok === true ? result.rows : []);

const newColumn = ({ added }: Change): readonly Statement[] =>
  added === null
    ? []
    : [
        {
          id: added.pointer,
          note: 'the type exists and the name is free',
          sql: `ALTER TABLE ${probe} ADD COLUMN ${quote(added.name)} ${added.type}`,
        },
        { id: `${added.pointer}:fills`, note: 'the table would be rewritten', sql: fillsSql(added.name) },
      ];

const pointerOf = ({ index }: Change, { field }: Expression): string => `/changes/${index}/${field}`;

function tests(change: Change, expression: Expression): Statement[] {
  const pointer = pointerOf(change, expression);
  const scratch = `lakeshift_${change.index}_${expression.field.toLowerCase()}`;
  const input = inputOf(change, expression);
  const table = input?.table ?? probe;
  return [
    ...(input === null
      ? []
      : [{ id: `${pointer}:input`, note: 'the column as it will be, and no other', sql: input.sql }]),
    {
      id: pointer,
      note: 'accepted as a generation expression',
      sql: `ALTER TABLE ${table} ADD COLUMN ${scratch} ${expression.type} GENERATED ALWAYS AS (${expression.sql}) STORED`,
    },
    { id: `${pointer}:reads`, note: 'columns that it reads', sql: readsSql(table, scratch) },
    { id: `${pointer}:calls`, note: 'functions that nobody vouches for', sql: callsSql(table, scratch) },
    // between two shapes, what does not fit into one of them has to be NULL there
    ...(expression.reads === null
      ? []
      : [
          {
            id: `${pointer}:null`,
            note: 'NULL is one of its values',
            sql: `SELECT NULL::${expression.type} AS nothing`,
          },
        ]),
  ];
}

/** The table of an expression whose input is not there yet under its name: that column alone. */
function inputOf({ index }: Change, { input, reads }: Expression) {
  if (input === undefined || reads === null) return null;
  const name = `lakeshift_input_${index}`;
  const sql = `CREATE TEMPORARY TABLE ${name} (${quote(reads)} ${input.type}) ON COMMIT DROP`;
  return { table: `pg_temp.${name}`, sql };
}

/** A serial brings a default and NOT NULL; a domain may bring either, and any of its rules makes a rewrite. */
const fillsSql = (column: string): string => `WITH RECURSIVE d AS (
  SELECT t.* FROM pg_type t WHERE t.typtype = 'd' AND t.oid = (SELECT a.atttypid FROM pg_attribute a WHERE a.attrelid = '${probe}'::regclass AND a.attname = ${literal(column)})
  UNION ALL SELECT t.* FROM d JOIN pg_type t ON t.oid = d.typbasetype AND t.typtype = 'd')
SELECT a.attnotnull OR a.atthasdef OR EXISTS (SELECT FROM d WHERE typnotnull OR typdefault IS NOT NULL OR EXISTS (SELECT FROM pg_constraint c WHERE c.contypid = d.oid)) AS fills
FROM pg_attribute a WHERE a.attrelid = '${probe}'::regclass AND a.attname = ${literal(column)}`;

/** What the catalog remembers a generated column by: its own entry (until PostgreSQL 14) or that of its expression. */
const dependsOn = `JOIN pg_depend d ON (d.classid = 'pg_class'::regclass AND d.objid = s.attrelid AND d.objsubid = s.attnum)
  OR (d.classid = 'pg_attrdef'::regclass AND d.objid = (SELECT x.oid FROM pg_attrdef x WHERE x.adrelid = s.attrelid AND x.adnum = s.attnum))`;
const scratchColumn = (table: string, scratch: string): string =>
  `s.attrelid = '${table}'::regclass AND s.attname = ${literal(scratch)}`;

const readsSql = (
  table: string,
  scratch: string,
): string => `SELECT DISTINCT r.attname::text AS name FROM pg_attribute s
${dependsOn}
JOIN pg_attribute r ON d.refclassid = 'pg_class'::regclass AND d.refobjid = s.attrelid AND d.refobjsubid NOT IN (0, s.attnum) AND r.attrelid = s.attrelid AND r.attnum = d.refobjsubid
WHERE ${scratchColumn(table, scratch)} ORDER BY 1`;

/**
 * The server believes a function that calls itself immutable; its body may write, sleep or read what it likes. Found
 * behind calls, operators and the checks of domains; what the server itself brings leaves no trace in `pg_depend`.
 */
const callsSql = (table: string, scratch: string): string => `WITH used AS (
  SELECT d.refclassid AS class, d.refobjid AS id FROM pg_attribute s
  ${dependsOn}
  WHERE ${scratchColumn(table, scratch)}
), called AS (
  SELECT id FROM used WHERE class = 'pg_proc'::regclass
  UNION SELECT o.oprcode FROM used JOIN pg_operator o ON class = 'pg_operator'::regclass AND o.oid = id
  UNION SELECT d.refobjid FROM used JOIN pg_constraint c ON class = 'pg_type'::regclass AND c.contypid = id
    JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_proc'::regclass
)
SELECT p.oid::regprocedure::text AS name FROM called JOIN pg_proc p ON p.oid = called.id JOIN pg_language l ON l.oid = p.prolang
WHERE l.lanname NOT IN ('internal', 'c') ORDER BY 1`;
