import type { FieldProblem } from '../contracts/api.ts';
import type { ExpressionFacts, PartitionFacts, TableFacts } from '../contracts/facts.ts';
import type { TableSpec } from '../contracts/spec.ts';
import { columnsNamed, type NamedColumn } from './change-names.ts';
import { shapeProblems, typeProblems } from './check-shape.ts';
import { nearest } from './nearest.ts';
import type { Change } from './sql/postgres/changes/change.ts';
import { changesOf } from './sql/postgres/changes/index.ts';
import { carriedProblems } from './check-carried.ts';
import { columnProblems } from './check-columns.ts';

/** What the target says against a spec, each with the field that is the cause: unknown names, expressions, rights. */
export function checkFacts(spec: TableSpec, facts: TableFacts): readonly FieldProblem[] {
  if (facts.oid === null) return [unknownTable(spec, facts)];
  const kind = kindProblem(facts);
  if (kind !== null) return [kind];
  return [
    ...rightsProblems(facts),
    ...shapeProblems(spec, facts),
    ...spec.changes.flatMap((_, index) => changeProblems(spec, facts, index)),
  ];
}

function unknownTable(spec: TableSpec, facts: TableFacts): FieldProblem {
  const near = nearest(`${facts.schema}.${facts.table}`, facts.tablesNearby);
  const problem = { pointer: '/table', detail: `there is no table ${spec.table} in target ${spec.target}` };
  return near === null ? problem : { ...problem, didYouMean: near };
}

const kinds: Readonly<Record<string, string>> = {
  v: 'a view',
  m: 'a materialized view',
  f: 'a foreign table',
  S: 'a sequence',
};

function kindProblem(facts: TableFacts): FieldProblem | null {
  const { schema, table, kind } = facts;
  const problem = (detail: string): FieldProblem => ({ pointer: '/table', detail: `${schema}.${table} ${detail}` });
  if (kind !== 'r' && kind !== 'p')
    return problem(`is ${kinds[kind ?? ''] ?? 'not a table'}; only tables can be changed here`);
  const fault = partitionsFault(facts.partitions ?? []);
  return fault === null ? null : problem(fault);
}

function partitionsFault(partitions: readonly PartitionFacts[]): string | null {
  const other = partitions.find(({ kind }) => kind !== 'r');
  if (other !== undefined) return `has a partition that is not a plain table: ${other.name}`;
  return partitions.length > mostPartitions ? `has more than ${mostPartitions} partitions` : null;
}

/** Each has a watermark of its own, and stands in the plan. */
const mostPartitions = 1_000;

/** Each names the statement that is missing; `lakeshift grants` prints all of them. */
function rightsProblems({ rights, rowSecurity, owner, schema, table }: TableFacts): FieldProblem[] {
  const problem = (wrong: boolean, detail: string): FieldProblem[] => (wrong ? [{ pointer: '/table', detail }] : []);
  return [
    ...problem(
      !rights.ownsTable,
      `role ${rights.role} is not a member of the owner of ${schema}.${table}: GRANT ${owner ?? 'its owner'} TO ${rights.role}`,
    ),
    ...problem(
      !rights.schemaReady,
      `role ${rights.role} may not create our schema in this database: CREATE SCHEMA … AUTHORIZATION ${rights.role}, or GRANT CREATE ON DATABASE`,
    ),
    ...problem(
      !rights.temporary,
      `role ${rights.role} may not make temporary objects in this database, which the preflight needs: GRANT TEMPORARY ON DATABASE … TO ${rights.role}`,
    ),
    ...problem(rowSecurity, `row-level security of ${schema}.${table} would hide rows from role ${rights.role}`),
  ];
}

function changeProblems(spec: TableSpec, facts: TableFacts, index: number): FieldProblem[] {
  const wish = spec.changes[index];
  if (wish === undefined) return [];
  const at = `/changes/${index}`;
  const refused = facts.expressions.filter(({ pointer, ok }) => !ok && pointer.startsWith(`${at}/`));
  // a type that does not exist makes the expressions fail too, which says nothing of them
  const typeRefused = refused.filter(({ pointer }) => pointer.endsWith('/to') || pointer.endsWith('/add'));
  const expressions = typeRefused.length > 0 ? typeRefused.filter(({ code }) => code !== '42701') : refused;
  return [
    ...columnsNamed(wish).flatMap((column) => nameProblems(`${at}/${column.field}`, column, facts)),
    ...columnProblems(wish, facts, at),
    ...carriedProblems(spec, facts, index),
    ...typeProblems(facts, at),
    ...expressions.map((expression) => expressionProblem(expression, facts)),
    ...facts.expressions.filter(({ pointer }) => pointer.startsWith(`${at}/`)).flatMap(promiseProblems),
    ...changesOf(spec, facts.columns)
      .filter((change) => change.index === index)
      .flatMap((change) => readsProblems(change, facts)),
  ];
}

const systemColumns = ['tableoid', 'ctid', 'xmin', 'cmin', 'xmax', 'cmax'];

/** A new name that is taken, or an old one that is not there. */
function nameProblems(pointer: string, { name, isThere }: NamedColumn, { columns }: TableFacts): FieldProblem[] {
  const names = columns.map((column) => column.name);
  if (!isThere && systemColumns.includes(name)) return [{ pointer, detail: `column ${name} is the server's own` }];
  if (names.includes(name) === isThere) return [];
  if (!isThere) return [{ pointer, detail: `column ${name} is there already` }];
  const near = nearest(name, names);
  const problem = { pointer, detail: `there is no column ${name}` };
  return [near === null ? problem : { ...problem, didYouMean: near }];
}

/** SQLSTATE → what it means for an expression. Anything else is named by its code alone. */
const meanings: Readonly<Record<string, string>> = {
  '42703': 'names a column that the table does not have',
  '42883': 'calls a function or operator that does not exist for these types',
  '42P17': 'is not immutable: its value could change without the row changing',
  '0A000': 'holds a subquery, or something else that may not look beyond its own row',
  '42803': 'holds an aggregate',
  '42P20': 'holds a window function',
  '42601': 'is not an SQL expression',
  '42704': 'names a type that does not exist',
  '42846': 'can not be cast to the type of the column',
  '42804': 'has a type that does not fit',
  '42701': 'names a column that is there already',
  '42P01': 'looks at another table',
  '54011': 'can not be tried: with it the table would have more columns than PostgreSQL allows (1600)',
  '22P02': 'holds a constant that its type does not allow',
};

function expressionProblem({ pointer, code, name }: ExpressionFacts, { columns }: TableFacts): FieldProblem {
  const meaning = meanings[code ?? ''] ?? 'is not accepted by the server';
  const detail = `${meaning}${name === null ? '' : ` (${name})`} [SQLSTATE ${code ?? 'unknown'}]`;
  const near =
    name !== null && code === '42703'
      ? nearest(
          name,
          columns.map((column) => column.name),
        )
      : null;
  return near === null ? { pointer, detail } : { pointer, detail, didYouMean: near };
}

/** What the server accepts and we do not: promises that nobody keeps watch over. */
const promiseProblems = ({ pointer, calls = [] }: ExpressionFacts): FieldProblem[] =>
  calls.length === 0
    ? []
    : [
        {
          pointer,
          detail: `calls ${calls.join(', ')}: nobody can tell what such a function does; write it with functions of the server`,
        },
      ];

/** A two-way change is well defined only when each direction reads nothing but the other side. */
function readsProblems({ index, expressions }: Change, facts: TableFacts): FieldProblem[] {
  const stored = facts.columns.filter((column) => column.generated === 'stored').map(({ name }) => name);
  const generated = [...stored, 'tableoid'];
  return expressions.flatMap(({ field, reads: only }): FieldProblem[] => {
    const pointer = `/changes/${index}/${field}`;
    const reads = facts.expressions.find((expression) => expression.pointer === pointer)?.reads ?? [];
    if (field === 'default') return readsAtAll(pointer, reads);
    const wrong = reads.filter((name) => (only === null ? generated.includes(name) : name !== only));
    if (wrong.length === 0) return [];
    const detail =
      only === null
        ? `reads ${wrong.join(', ')}, which the database generates only after our trigger`
        : `may read only ${only}, but reads ${wrong.join(', ')}`;
    return [{ pointer, detail }];
  });
}

/** A default is there before the row is. */
const readsAtAll = (pointer: string, reads: readonly string[]): FieldProblem[] =>
  reads.length === 0 ? [] : [{ pointer, detail: `may read no column, but reads ${reads.join(', ')}` }];
