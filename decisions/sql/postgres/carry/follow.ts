import type { LookResult } from '../../../../contracts/activities.ts';
import type { DependentFacts, TableFacts } from '../../../../contracts/facts.ts';
import type { Statement } from '../../../../contracts/plan.ts';
import type { TableSpec } from '../../../../contracts/spec.ts';
import type { Replacement } from '../changes/change.ts';
import { changesOf } from '../changes/index.ts';
import { dollarQuoted, literal, quote } from '../identifier.ts';
import { searchPath } from '../ours.ts';

type Looks = Readonly<Record<string, LookResult>>;

/** How the server is brought to write the definition of one kind of object for another column. */
interface Follow {
  /** What stands before and after its definition in the statement that makes it on the temporary table. */
  readonly make: (name: string) => readonly [before: string, after: string];
  /** Its definition as it is now. */
  readonly read: (name: string) => string;
}

/**
 * Has the server itself write the definitions of what hangs on a column for the column that replaces it: on an empty
 * temporary table of the same name and columns each is made anew, then the column is renamed, and whatever speaks of it
 * speaks of the new name. Where the type changes too, each is tried on a column of the new type. All is rolled back.
 */
export function followProbes(spec: TableSpec, facts: TableFacts): readonly Statement[] {
  const changes = changesOf(spec, facts.columns).flatMap(({ replaces }) => (replaces === null ? [] : [replaces]));
  const followed = changes.map((change) => ({ change, items: followedBy(facts, change) }));
  if (followed.length === 0) return [];
  const clone = cloneOf(facts);
  return [
    statement('follow', `CREATE TEMPORARY TABLE lakeshift_followed (oid oid, definition text) ON COMMIT DROP`),
    statement(
      'follow:clone',
      `CREATE TEMPORARY TABLE ${quote(facts.table)} (LIKE ${quote(facts.schema)}.${quote(facts.table)}) ON COMMIT DROP`,
    ),
    // first of all the temporary table, which views have to find under the name of the real one
    statement('follow:path', `SET LOCAL search_path = pg_temp, pg_catalog, ${quote(facts.schema)}`),
    ...followed.flatMap(({ items }) => items.map((item) => made(item, 'make', literal(item.original ?? ''), clone))),
    ...followed.map(({ change }) =>
      statement(
        `follow:rename:${change.old.name}`,
        `ALTER TABLE ${clone} RENAME COLUMN ${quote(change.old.name)} TO ${quote(change.fresh.name)}`,
      ),
    ),
    ...followed.flatMap(({ items }) => items.map((item) => read(item, clone))),
    ...followed.flatMap(({ change, items }) =>
      change.kind === 'rename' ? [] : retyped(change, items, defaultOf(facts, change), clone),
    ),
    statement('follow:path-back', `SET LOCAL search_path = ${searchPath(facts.schema)}`),
  ];
}

/** The facts with what the server has written, and what it did not take for the new type. */
export const followed = (facts: TableFacts, results: Looks): readonly DependentFacts[] =>
  (facts.dependents ?? []).map((item) => {
    const refused = [`follow:make:${item.oid}`, `follow:read:${item.oid}`, `follow:try:${item.oid}`]
      .map((id) => results[id])
      .find((result) => result?.ok === false);
    const result = results[`follow:read:${item.oid}`];
    const definition = result?.ok === true ? result.rows[0]?.['definition'] : undefined;
    return {
      ...item,
      definition: typeof definition === 'string' ? definition : item.definition,
      refused: refused?.ok === false ? refused.code : item.refused,
    };
  });

const cloneOf = ({ table }: TableFacts): string => `pg_temp.${quote(table)}`;

/** A view's columns keep their names and types when a column is renamed; of another type it is made anew as it is. */
const followedBy = ({ dependents = [] }: TableFacts, { old, kind }: Replacement): readonly DependentFacts[] =>
  dependents.filter(
    (item) =>
      item.column === old.name &&
      follows[item.kind] !== undefined &&
      (item.kind !== 'view' || (kind === 'rename' && item.deferrable === '')),
  );

const statement = (id: string, sql: string): Statement => ({ id, note: 'on an empty temporary table', sql });
const scratch = (item: DependentFacts): string => `lakeshift_${item.oid}`;

function made(item: DependentFacts, id: string, definition: string, clone: string): Statement {
  const [before, after] = (follows[item.kind]?.(clone).make(scratch(item)) ?? []).map(literal);
  return statement(
    `follow:${id}:${item.oid}`,
    `DO ${dollarQuoted(` BEGIN EXECUTE ${before ?? "''"} || ${definition} || ${after ?? "''"}; END `)}`,
  );
}

const read = (item: DependentFacts, clone: string): Statement =>
  statement(
    `follow:read:${item.oid}`,
    `INSERT INTO lakeshift_followed SELECT ${item.oid}, ${follows[item.kind]?.(clone).read(scratch(item)) ?? 'NULL'} RETURNING definition`,
  );

/** Drops what was made, gives the column its new type, and makes each again. */
function retyped(
  change: Replacement,
  items: readonly DependentFacts[],
  fallback: DependentFacts | undefined,
  clone: string,
): readonly Statement[] {
  const name = quote(change.fresh.name);
  const definition = (item: DependentFacts): string =>
    `(SELECT f.definition FROM lakeshift_followed f WHERE f.oid = ${item.oid})`;
  return [
    statement(
      `follow:retype:${change.old.name}`,
      `ALTER TABLE ${clone} DROP COLUMN ${name} CASCADE, ADD COLUMN ${name} ${change.fresh.type}`,
    ),
    ...items.map((item) => made(item, 'try', definition(item), clone)),
    ...(fallback === undefined
      ? []
      : [
          statement(
            `follow:try:${fallback.oid}`,
            `ALTER TABLE ${clone} ALTER COLUMN ${name} SET DEFAULT ${fallback.original ?? 'NULL'}`,
          ),
        ]),
  ];
}

/** A default that comes along as it is; one whose value is converted is computed later. */
const defaultOf = ({ dependents = [] }: TableFacts, { old, keepsValue }: Replacement): DependentFacts | undefined =>
  keepsValue ? dependents.find(({ kind, column }) => kind === 'default' && column === old.name) : undefined;

/** What the server calls its temporary schema where it prints definitions: before PostgreSQL 15 by its number. */
const temporary = `CASE WHEN current_setting('server_version_num')::int < 150000 THEN pg_my_temp_schema()::regnamespace::text ELSE 'pg_temp' END`;
const after = (text: string, prefix: string): string => `substr(${text}, length(${prefix}) + 1)`;
const index = (clone: string): Follow => ({
  make: (name) => [`CREATE INDEX ${name} ON ${clone} USING `, ''],
  read: (name) =>
    `(SELECT ${after('pg_get_indexdef(x.indexrelid)', `format('CREATE INDEX %I ON %s.%I USING ', i.relname, ${temporary}, t.relname)`)}
      FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid WHERE x.indexrelid = 'pg_temp.${name}'::regclass)`,
});

const follows: Readonly<Partial<Record<DependentFacts['kind'], (clone: string) => Follow>>> = {
  index,
  unique: index,
  'primary key': index,
  check: (clone) => ({
    make: (name) => [`ALTER TABLE ${clone} ADD CONSTRAINT ${name} `, ''],
    read: (name) =>
      `(SELECT pg_get_constraintdef(c.oid) FROM pg_constraint c WHERE c.conrelid = ${literal(clone)}::regclass AND c.conname = '${name}')`,
  }),
  statistics: (clone) => ({
    make: (name) => [`CREATE STATISTICS pg_temp.${name}`, ` FROM ${clone}`],
    read: (name) =>
      `(SELECT left(m.text, length(m.text) - length(' FROM ' || m.rel)) FROM (SELECT ${after('pg_get_statisticsobjdef(s.oid)', `format('CREATE STATISTICS %s.%I', ${temporary}, s.stxname)`)} AS text, s.stxrelid::regclass::text AS rel
      FROM pg_statistic_ext s WHERE s.stxname = '${name}' AND s.stxnamespace = pg_my_temp_schema()) AS m)`,
  }),
  view: () => ({
    make: (name) => [`CREATE TEMPORARY VIEW ${name} AS `, ''],
    read: (name) => `pg_get_viewdef('pg_temp.${name}'::regclass)`,
  }),
};
