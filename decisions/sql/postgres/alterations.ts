import type { Alteration, Statement } from '../../../contracts/plan.ts';
import { isSynced, type AddedColumn, type Change, type Lead } from './changes/change.ts';
import { dollarQuoted, literal, quote } from './identifier.ts';
import { misfitsOf } from './misfits.ts';
import { notNullCheck, notNullName } from './not-null.ts';
import { setting, tableOf, type Ours } from './ours.ts';
import { createFunction, createTrigger, functionName, triggerName } from './trigger.ts';

/** A note and its statement. */
type NamedSql = readonly [note: string, sql: string];

const claims = ({ homeSchema }: Ours): string => `${quote(homeSchema)}.claims`;

/** The statements of one DDL transaction, and the word in our own lock row by which it is known to have happened. */
function alteration(
  ours: Ours,
  id: string,
  word: string,
  mode: 'do' | 'undo',
  statements: readonly NamedSql[],
): Alteration {
  const happened = `EXISTS (SELECT FROM ${claims(ours)} WHERE deployment = $1 AND ${literal(word)} = ANY (altered))`;
  const mark =
    mode === 'do'
      ? `UPDATE ${claims(ours)} SET altered = array_append(altered, ${literal(word)}) WHERE deployment = $1`
      : `UPDATE ${claims(ours)} SET altered = array_remove(altered, ${literal(word)}) WHERE deployment = $1`;
  return {
    table: tableOf(ours),
    done: { id: `${id}:done`, note: '$1 deployment', sql: `SELECT ${mode === 'do' ? '' : 'NOT '}${happened} AS done` },
    statements: [
      ...setting(ours, 'SET LOCAL').map((statement) => ({ ...statement, id: `${id}:${statement.id}` })),
      ...statements.map(([note, sql], index): Statement => ({ id: `${id}:${index}`, note, sql })),
      { id: `${id}:mark`, note: 'recorded in the same transaction; $1 deployment', sql: mark },
    ],
  };
}

/** Adds the new columns and the trigger in one transaction: no write is ever seen by only one of them. */
export function expand(ours: Ours, changes: readonly Change[], lead: Lead): Alteration {
  const clauses = [...changes.flatMap(addColumn), ...liftedOf(changes).map(dropNotNull)];
  const synced: readonly NamedSql[] = changes.some(isSynced)
    ? [
        ['trigger function that keeps both shapes true', createFunction(ours, changes, lead)],
        ['fires on every write but our own', createTrigger(ours)],
        [
          'fires for replicated writes too',
          `ALTER TABLE ${tableOf(ours)} ENABLE ALWAYS TRIGGER ${quote(triggerName(ours))}`,
        ],
      ]
    : [];
  return alteration(ours, 'expand', 'expand', 'do', [
    ...alterTable(ours, 'only the catalog changes; no row is rewritten', clauses),
    ...synced,
  ]);
}

/** Takes the new columns and the trigger away, if this deployment brought them. */
export function undoExpand(ours: Ours, changes: readonly Change[]): readonly Alteration[] {
  const dropped = addedOf(changes).map(({ name }) => `DROP COLUMN IF EXISTS ${quote(name)}`);
  return [
    alteration(ours, 'expand-undo', 'expand', 'undo', [
      ...dropSync(ours, changes),
      ...alterTable(ours, 'the new columns go', dropped),
      ...liftedOf(changes).map((column) => keepNotNull(ours, column)),
    ]),
  ];
}

/** NOT NULL is back for new rows; unless values are lost, for then every write of such a row would fail. */
function keepNotNull(ours: Ours, column: string): NamedSql {
  const lost = `EXISTS (SELECT FROM ${misfitsOf(ours, `r.${quote(column)} IS NULL`)})`;
  return [
    'NOT NULL is back for new rows, unless going back has lost values',
    `DO ${dollarQuoted(` BEGIN IF NOT ${lost} THEN ALTER TABLE ${tableOf(ours)} ADD ${notNullCheck(ours, column)}; END IF; END `)}`,
  ];
}

/** From here on the new shape leads: one function is replaced, and the table is locked only where NOT NULL is set. */
export const cutover = (ours: Ours, changes: readonly Change[]): Alteration =>
  alteration(ours, 'cutover', 'cutover', 'do', [
    ...leadBy(ours, changes, 'new'),
    ...alterTable(
      ours,
      'NOT NULL for new rows; no row is read',
      setsNotNullOf(changes).map((column) => `ADD ${notNullCheck(ours, column)}`),
    ),
  ]);

/** The shape that led before leads again; no row is touched. */
export const undoCutover = (ours: Ours, changes: readonly Change[], lead: Lead): readonly Alteration[] => [
  alteration(ours, 'cutover-undo', 'cutover', 'undo', [
    ...leadBy(ours, changes, lead),
    ...alterTable(
      ours,
      'the column may be empty again',
      setsNotNullOf(changes).flatMap((column) => [
        `DROP CONSTRAINT IF EXISTS ${quote(notNullName(ours, column))}`,
        dropNotNull(column),
      ]),
    ),
  ]),
];

/** Removes the trigger and the old columns. There is no way back from here. */
export function contract(ours: Ours, changes: readonly Change[]): Alteration {
  return alteration(ours, 'contract', 'contract', 'do', [
    ...dropSync(ours, changes),
    ...alterTable(
      ours,
      'the old columns go',
      droppedOf(changes).map((column) => `DROP COLUMN ${quote(column)}`),
    ),
  ]);
}

/** Columns that contract drops. */
export const droppedOf = (changes: readonly Change[]): readonly string[] =>
  changes.flatMap(({ dropped }) => (dropped === null ? [] : [dropped]));
/** Columns whose NOT NULL is lifted by expand and given back by its undo. */
export const liftedOf = (changes: readonly Change[]): readonly string[] =>
  changes.flatMap(({ lifted }) => (lifted === null ? [] : [lifted]));
/** Columns that the cutover sets NOT NULL. */
export const setsNotNullOf = (changes: readonly Change[]): readonly string[] =>
  changes.flatMap(({ setsNotNull }) => (setsNotNull === null ? [] : [setsNotNull]));
const addedOf = (changes: readonly Change[]): readonly AddedColumn[] =>
  changes.flatMap(({ added }) => (added === null ? [] : [added]));

const alterTable = (ours: Ours, note: string, clauses: readonly string[]): readonly NamedSql[] =>
  clauses.length === 0 ? [] : [[note, `ALTER TABLE ${tableOf(ours)} ${clauses.join(', ')}`]];

/** A default that came with the column would stand in all rows at once, and none would be left for the backfill. */
function addColumn({ added, conversion }: Change): readonly string[] {
  if (added === null) return [];
  const column = `ADD COLUMN ${quote(added.name)} ${added.type}`;
  if (added.default === null) return [column];
  return conversion === null
    ? [`${column} DEFAULT ${added.default}`]
    : [column, `ALTER COLUMN ${quote(added.name)} SET DEFAULT ${added.default}`];
}
const dropNotNull = (column: string): string => `ALTER COLUMN ${quote(column)} DROP NOT NULL`;

const leadBy = (ours: Ours, changes: readonly Change[], lead: Lead): readonly NamedSql[] =>
  changes.some(isSynced)
    ? [[`the ${lead} shape wins where a write sets both`, createFunction(ours, changes, lead)]]
    : [];

const dropSync = (ours: Ours, changes: readonly Change[]): readonly NamedSql[] =>
  changes.some(isSynced)
    ? [
        ['the trigger goes', `DROP TRIGGER IF EXISTS ${quote(triggerName(ours))} ON ${tableOf(ours)}`],
        ['and its function', `DROP FUNCTION IF EXISTS ${functionName(ours)}()`],
      ]
    : [];
