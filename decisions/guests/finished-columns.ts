import type { DependentFacts, TableFacts } from '../../contracts/facts.ts';
import type { NamedSql } from '../sql/postgres/alteration.ts';
import { buildSteps } from '../sql/postgres/carry/build.ts';
import { defaultItem, notNullItem, ofKind, tableOfConstraint, type Carried } from '../sql/postgres/carry/carried.ts';
import { newDefault, widenSequences } from '../sql/postgres/carry/defaults.ts';
import { createViews, dropViews } from '../sql/postgres/carry/exchange.ts';
import { settingsOf } from '../sql/postgres/carry/names.ts';
import { takeOver } from '../sql/postgres/carry/take-over.ts';
import type { Replacement } from '../sql/postgres/changes/change.ts';
import { literal, quote } from '../sql/postgres/identifier.ts';
import { tableOf, type Ours } from '../sql/postgres/ours.ts';

/** A column that another one replaces, with what hangs on it; nothing where that has happened. */
export function replaced(ours: Ours, carried: Carried, facts: TableFacts): readonly string[] {
  const [isOld, statements] = ways[carried.change.kind](ours, carried, facts);
  return ifSo(isOld, statements.map(inBlock));
}

/**
 * A statement of PL/pgSQL, which takes no empty one: the server ends the query of a view with a semicolon. Roles are
 * another database's: whom it does not know it gives nothing.
 */
function inBlock(statement: string): string {
  const one = `${statement.replace(/;$/, '')};`;
  return /^(?:GRANT |ALTER \w+ .* OWNER TO )/.test(statement)
    ? `BEGIN ${one} EXCEPTION WHEN undefined_object OR insufficient_privilege THEN RAISE NOTICE 'left out: %', SQLERRM; END;`
    : one;
}

type Way = (ours: Ours, carried: Carried, facts: TableFacts) => readonly [isOld: string, statements: readonly string[]];

const ways: Readonly<Record<Replacement['kind'], Way>> = { rename: renamed, swap: retyped, type: takenOver };

/** The server takes along what hangs on a column that only changes its name. */
function renamed(ours: Ours, { change }: Carried, facts: TableFacts): ReturnType<Way> {
  const table = tableOf(ours);
  const { old, fresh } = change;
  return [
    isThere(table, old.name),
    [
      ...leftBehind(ours, change, facts),
      `ALTER TABLE ${table} RENAME COLUMN ${quote(old.name)} TO ${quote(fresh.name)}`,
    ],
  ];
}

/** A type that changes in place: views stand in its way, and the server forgets or fails at some of what hangs on it. */
function retyped(ours: Ours, carried: Carried, facts: TableFacts): ReturnType<Way> {
  const table = tableOf(ours);
  const { change } = carried;
  const { old, fresh, up } = change;
  const column = quote(old.name);
  return [
    hasType(table, old),
    [
      ...sql(dropViews([carried])),
      ...leftBehind(ours, change, facts),
      ...(old.hasDefault ? [`ALTER TABLE ${table} ALTER COLUMN ${column} DROP DEFAULT`] : []),
      `ALTER TABLE ${table} ALTER COLUMN ${column} TYPE ${fresh.type} USING ${up}`,
      ...sql(newDefault(ours, carried, old.name)),
      ...sql(settingsOf(ofKind(carried, 'index', 'primary key', 'unique'))),
      ...sql(widenSequences(carried)),
      ...sql(createViews([carried])),
    ],
  ];
}

/** What a deployment builds for a column of another name and type, in the deployment's own words and order. */
function takenOver(ours: Ours, carried: Carried, { columnSettings = [] }: TableFacts): ReturnType<Way> {
  const { old } = carried.change;
  const { before, after, long } = takeOver(ours, [carried]);
  // a column that changes its type in place keeps its own, and has no name of ours
  const settings = columnSettings.filter((setting) => !setting.includes(`lakeshift_${ours.mark}_new_`));
  return [
    isThere(tableOf(ours), old.name),
    [
      ...settings,
      ...built(ours, carried),
      ...sql(before),
      `ALTER TABLE ${tableOf(ours)} DROP COLUMN ${quote(old.name)}`,
      ...sql(after),
      ...long.map((statement) => statement.sql),
    ],
  ];
}

/** Without what belongs to a deployment alone: its settings, its record, and indexes beside the application's work. */
const built = (ours: Ours, carried: Carried): readonly string[] =>
  buildSteps(ours, [carried]).flatMap((one): readonly string[] => {
    if (one.step === 'index') return [one.index.create.sql.replace('INDEX CONCURRENTLY', 'INDEX')];
    const statements = one.step === 'alter' ? one.alteration.statements : one.statements;
    return statements.filter(({ id }) => /:\d+$|^validate:/.test(id)).map((statement) => statement.sql);
  });

/** What the spec leaves behind went with the old column. */
const leftBehind = (
  ours: Ours,
  { old, leaveBehind }: Replacement,
  { dependents = [] }: TableFacts,
): readonly string[] => [
  ...dependents
    .filter(({ column, name }) => column === old.name && leaveBehind.includes(name))
    .flatMap((item) => removal(ours, item)),
  ...[
    [notNullItem, 'DROP NOT NULL'],
    [defaultItem, 'DROP DEFAULT'],
  ]
    .filter(([name = '']) => leaveBehind.includes(name))
    .map(([, action = '']) => `ALTER TABLE ${tableOf(ours)} ALTER COLUMN ${quote(old.name)} ${action}`),
];

function removal(ours: Ours, item: DependentFacts): readonly string[] {
  const [what = ''] = item.description.split(' ');
  const name = quote(item.name);
  if (what === 'index') return [`DROP INDEX IF EXISTS ${quote(ours.schema)}.${name}`];
  if (what === 'constraint') return [`ALTER TABLE ${tableOfConstraint(ours, item)} DROP CONSTRAINT IF EXISTS ${name}`];
  return item.kind === 'statistics' ? [`DROP STATISTICS IF EXISTS ${item.table ?? ''}.${name}`] : [];
}

const sql = (statements: readonly NamedSql[]): readonly string[] => statements.map(([, text]) => text);

/** Statements of PL/pgSQL under a condition. Only their first lines are moved: the others may stand in a quoted text. */
export const ifSo = (condition: string, statements: readonly string[]): readonly string[] => [
  `IF ${condition} THEN`,
  ...statements.map((statement) => `  ${statement}`),
  'END IF;',
];

/** SQL: the table has a column of that name. */
export const isThere = (table: string, column: string, more = ''): string =>
  `EXISTS (SELECT FROM pg_attribute WHERE attrelid = ${literal(table)}::regclass AND attname = ${literal(column)} AND NOT attisdropped${more})`;

/**
 * SQL: the column still has the type that it had, with its modifier, which `regtype` knows nothing of. The server leaves
 * out the schema of a type that is found without it.
 */
const hasType = (table: string, { name, type }: Replacement['old']): string => {
  const now = 'format_type(atttypid, atttypmod)';
  const same = `right(${literal(type)}, length(${now})) = ${now}`;
  return isThere(table, name, ` AND atttypid = ${literal(type)}::regtype AND ${same}`);
};
