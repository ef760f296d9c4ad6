import type { Alteration } from '../../../contracts/plan.ts';
import { alteration, type NamedSql } from './alteration.ts';
import { lockedBy, type Carried } from './carry/carried.ts';
import { exchange, exchangeBack, type Swap } from './carry/exchange.ts';
import { takeOver } from './carry/take-over.ts';
import { isSynced, type AddedColumn, type Change, type Lead } from './changes/change.ts';
import { columnsAtTheirPlace, triggerAtItsPost } from './at-its-post.ts';
import { dollarQuoted, quote } from './identifier.ts';
import { misfitsOf } from './misfits.ts';
import { notNullCheck, notNullName } from './not-null.ts';
import { tableOf, type Ours } from './ours.ts';
import { createFunction, createTrigger, functionName, triggerName } from './trigger.ts';

/** The changes of a plan as each DDL transaction needs them. */
export interface Altered {
  readonly ours: Ours;
  /** As names are before the cutover. */
  readonly changes: readonly Change[];
  /** As names are from the cutover on. */
  readonly changesAfter: readonly Change[];
  readonly carried: readonly Carried[];
  readonly columnSettings: readonly string[];
  /** Who wins until the cutover, where a write sets both shapes and they disagree. */
  readonly lead: Lead;
}

/** Adds the new columns and the trigger in one transaction: no write is ever seen by only one of them. */
export function expand({ ours, changes, columnSettings, lead }: Altered): Alteration {
  const clauses = [
    ...changes.flatMap(addColumn),
    ...liftedOf(changes).map(dropNotNull),
    ...changes.flatMap(({ suspends }) =>
      suspends === null ? [] : [`ALTER COLUMN ${quote(suspends.column)} DROP DEFAULT`],
    ),
  ];
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
  return alteration(ours, {
    id: 'expand',
    word: 'expand',
    mode: 'do',
    statements: [
      ...alterTable(ours, 'only the catalog changes; no row is rewritten', clauses),
      ...columnSettings.map((sql): NamedSql => ['as the old column has it', sql]),
      ...synced,
    ],
  });
}

/** Takes the new columns and the trigger away, if this deployment brought them. */
export function undoExpand({ ours, changes }: Altered): readonly Alteration[] {
  const clauses = [
    ...addedOf(changes).map(({ name }) => `DROP COLUMN IF EXISTS ${quote(name)}`),
    ...changes.flatMap(({ suspends }) =>
      suspends === null ? [] : [`ALTER COLUMN ${quote(suspends.column)} SET DEFAULT ${suspends.default}`],
    ),
  ];
  return [
    alteration(ours, {
      id: 'expand-undo',
      word: 'expand',
      mode: 'undo',
      statements: [
        ...dropSync(ours, changes),
        ...alterTable(ours, 'the new columns go', clauses),
        ...liftedOf(changes).map((column) => keepNotNull(ours, column)),
      ],
    }),
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

/** From here on the new shape leads; columns that keep their name exchange it here. */
export function cutover({ ours, changes, changesAfter, ...altered }: Altered): Alteration {
  const swaps = swapsOf({ changesAfter, ...altered });
  return alteration(ours, {
    id: 'cutover',
    word: 'cutover',
    mode: 'do',
    alsoLocks: lockedBySwaps(swaps),
    statements: [
      ...triggerAtItsPost(ours, changes),
      ...columnsAtTheirPlace(ours, changes),
      ...exchange(ours, swaps),
      ...leadBy(ours, changesAfter, 'new'),
      ...alterTable(
        ours,
        'NOT NULL for new rows; no row is read',
        setsNotNullOf(changesAfter).map((column) => `ADD ${notNullCheck(ours, column)}`),
      ),
    ],
  });
}

/** The shape that led before leads again; no row is touched. */
export function undoCutover({ ours, changes, lead, ...altered }: Altered): readonly Alteration[] {
  const swaps = swapsOf(altered);
  return [
    alteration(ours, {
      id: 'cutover-undo',
      word: 'cutover',
      mode: 'undo',
      alsoLocks: lockedBySwaps(swaps),
      statements: [
        ...exchangeBack(ours, swaps),
        ...liftedBySwaps(altered.carried).map((column) => keepNotNull(ours, column)),
        ...leadBy(ours, changes, lead),
        ...alterTable(
          ours,
          'the column may be empty again',
          setsNotNullOf(changes).flatMap((column) => [
            `DROP CONSTRAINT IF EXISTS ${quote(notNullName(ours, column))}`,
            dropNotNull(column),
          ]),
        ),
      ],
    }),
  ];
}

/** Removes the trigger and the old columns; what was built takes their place. There is no way back from here. */
export function contract({ ours, changesAfter, carried }: Altered): Alteration {
  const { before, after } = takeOver(ours, carried);
  const drops = droppedOf(changesAfter).map((column) => `DROP COLUMN ${quote(column)}`);
  return alteration(ours, {
    id: 'contract',
    word: 'contract',
    mode: 'do',
    alsoLocks: [
      ...lockedBy(carried, 'reference', 'foreign key', 'view'),
      ...carried.flatMap(({ dropped }) => dropped.flatMap(({ table }) => (table === null ? [] : [table]))),
    ],
    statements: [
      ...columnsAtTheirPlace(ours, changesAfter),
      ...dropSync(ours, changesAfter),
      ...before,
      ...alterTable(ours, 'the old columns go', drops),
      ...after,
    ],
  });
}

/** The swaps of a plan, with what the old column is called afterwards. */
export const swapsOf = ({ carried, changesAfter }: Pick<Altered, 'carried' | 'changesAfter'>): readonly Swap[] =>
  carried
    .filter(({ change }) => change.kind === 'swap')
    .flatMap((each) => {
      const after = changesAfter.find(({ replaces }) => replaces?.old.name === each.change.old.name)?.replaces ?? null;
      return after === null ? [] : [{ carried: each, heldName: after.oldName }];
    });

const lockedBySwaps = (swaps: readonly Swap[]): readonly string[] =>
  lockedBy(
    swaps.map(({ carried }) => carried),
    'reference',
    'view',
  );

/** Columns whose NOT NULL the exchange lifts: the old type can't hold every new value. */
export const liftedBySwaps = (carried: readonly Carried[]): readonly string[] =>
  carried
    .filter(({ change }) => change.kind === 'swap' && change.old.notNull && !change.refusesMisfits)
    .map(({ change }) => change.old.name);

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
  const collation = added.collation == null ? '' : ` COLLATE ${added.collation}`;
  const column = `ADD COLUMN ${quote(added.name)} ${added.type}${collation}`;
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
