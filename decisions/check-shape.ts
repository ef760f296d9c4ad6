import type { FieldProblem } from '../contracts/api.ts';
import type { ShapeFacts, TableFacts } from '../contracts/facts.ts';
import type { TableSpec } from '../contracts/spec.ts';
import { isConverting, isSynced, type Change } from './sql/postgres/changes/change.ts';
import { changesOf } from './sql/postgres/changes/index.ts';

/** What PostgreSQL allows in one table, dropped columns counted. */
const mostColumns = 1_600;
/** Our triggers' names begin with this and eight hex digits; PostgreSQL fires triggers in the order of their names. */
const lastTrigger = 'zzz_lakeshift_g';

/** What kind of table it is, against what would be done with it. */
export function shapeProblems(spec: TableSpec, facts: TableFacts): readonly FieldProblem[] {
  const changes = changesOf(spec, facts.columns);
  const found = facts.shape === undefined ? [] : [...kinds(facts.shape), ...writes(facts.shape, changes)];
  return [...found, ...lateTriggers(facts, changes)].map((detail) => ({
    pointer: '/table',
    detail: `${facts.schema}.${facts.table} ${detail}`,
  }));
}

function kinds({ temporary, partition, hasChildren, hasParents }: ShapeFacts): readonly string[] {
  return [
    ...say(temporary, 'is a temporary table: no other session can see its rows'),
    ...say(partition, 'is a partition: change the table that it belongs to'),
    ...say(hasChildren, 'has tables that inherit from it: a trigger on it does not see writes to theirs'),
    ...say(hasParents && !partition, 'inherits from another table, whose columns it has to follow'),
  ];
}

function writes(shape: ShapeFacts, changes: readonly Change[]): readonly string[] {
  const rewrites = changes.some(isConverting);
  const columns = shape.columnsEver + changes.filter(({ added }) => added !== null).length;
  return [
    ...say(columns > mostColumns, `would have had ${columns} columns, dropped ones counted; PostgreSQL allows 1600`),
    ...say(
      rewrites && shape.updatesFail,
      'is in a publication that sends updates and has no replica identity: PostgreSQL refuses every update of it',
    ),
    ...say(
      rewrites && shape.updateRules.length > 0,
      `has a rule on updates (${shape.updateRules.join(', ')}): what the backfill writes would become something else`,
    ),
  ];
}

/** A trigger that fires after ours could change what ours has just converted. */
function lateTriggers({ triggers }: TableFacts, changes: readonly Change[]): readonly string[] {
  if (!changes.some(isSynced)) return [];
  return triggers
    .filter(({ beforeRow, enabled, name }) => beforeRow && enabled && name >= lastTrigger)
    .map(
      ({ name }) =>
        `has trigger ${name}, which would fire after ours and could change what ours has converted: rename it to come before zzz_lakeshift`,
    );
}

const say = (is: boolean, detail: string): readonly string[] => (is ? [detail] : []);

/** What a column's type would do when it is added, or when a value does not fit; `at` points to the change. */
export function typeProblems({ expressions }: TableFacts, at: string): readonly FieldProblem[] {
  return expressions
    .filter(({ pointer, ok }) => ok && pointer.startsWith(`${at}/`))
    .flatMap(({ pointer, fills, refusesNull }): FieldProblem[] => [
      ...(fills === true
        ? [
            {
              pointer,
              detail:
                'has a type that fills or checks each row when the column is added (a serial, or a domain with rules or a default), so that PostgreSQL would rewrite the table; use its base type',
            },
          ]
        : []),
      ...(refusesNull === true
        ? [
            {
              pointer,
              detail: 'gives a domain that refuses NULL, and a value that can not be converted has to be NULL',
            },
          ]
        : []),
    ]);
}
