import type { Alteration, Statement } from '../../../contracts/plan.ts';
import { convertingChanges, type Change, type TypeChange } from './change.ts';
import { literal, quote } from './identifier.ts';
import { misfitsOf } from './misfits.ts';
import { createFunction, createTrigger, functionName, triggerName, type Lead, type Ours } from './trigger.ts';

const tableOf = ({ schema, table }: Ours): string => `${quote(schema)}.${quote(table)}`;
const claims = ({ homeSchema }: Ours): string => `${quote(homeSchema)}.claims`;

/** The statements of one DDL transaction, and the word in our own lock row by which it is known to have happened. */
function alteration(
  ours: Ours,
  id: string,
  word: string,
  mode: 'do' | 'undo',
  statements: readonly (readonly [string, string])[],
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
      ...statements.map(([note, sql], index): Statement => ({ id: `${id}:${index}`, note, sql })),
      { id: `${id}:mark`, note: 'recorded in the same transaction; $1 deployment', sql: mark },
    ],
  };
}

/** Adds the new columns and the two-way trigger in one transaction: no write is ever seen by only one of them. */
export function expand(ours: Ours, changes: readonly Change[], lead: Lead): Alteration {
  const columns = changes.map((change): string => {
    const added = `ADD COLUMN ${quote(change.name)} ${change.type}`;
    return change.kind === 'add' && change.default !== null ? `${added} DEFAULT ${change.default}` : added;
  });
  const lifted = notNullOf(changes).map(({ old }) => `ALTER COLUMN ${quote(old)} DROP NOT NULL`);
  const synced: readonly [string, string][] =
    convertingChanges(changes).length === 0
      ? []
      : [
          ['two-way trigger function', createFunction(ours, changes, lead)],
          ['fires on every write but our own', createTrigger(ours)],
          [
            'fires for replicated writes too',
            `ALTER TABLE ${tableOf(ours)} ENABLE ALWAYS TRIGGER ${quote(triggerName(ours))}`,
          ],
        ];
  return alteration(ours, 'expand', 'expand', 'do', [
    [
      'only the catalog changes; no row is rewritten',
      `ALTER TABLE ${tableOf(ours)} ${[...columns, ...lifted].join(', ')}`,
    ],
    ...synced,
  ]);
}

/** Takes the new columns and the trigger away, if this deployment brought them. */
export function undoExpand(ours: Ours, changes: readonly Change[]): readonly Alteration[] {
  const dropped = changes.map(({ name }) => `DROP COLUMN IF EXISTS ${quote(name)}`);
  return [
    alteration(ours, 'expand-undo', 'expand', 'undo', [
      ...dropSync(ours, changes),
      ['the new columns go', `ALTER TABLE ${tableOf(ours)} ${dropped.join(', ')}`],
      ...notNullOf(changes).map((change) => keepNotNull(ours, change)),
    ]),
  ];
}

/** NOT NULL is back for new rows; unless values are lost, for then every write of such a row would fail. */
function keepNotNull(ours: Ours, { old }: TypeChange): readonly [string, string] {
  const check = `ADD CONSTRAINT ${quote(notNullName(ours, old))} CHECK (${quote(old)} IS NOT NULL) NOT VALID`;
  const lost = `EXISTS (SELECT FROM ${misfitsOf(ours, `r.${quote(old)} IS NULL`)})`;
  return [
    'NOT NULL is back for new rows, unless going back has lost values',
    `DO $lakeshift$ BEGIN IF NOT ${lost} THEN ALTER TABLE ${tableOf(ours)} ${check}; END IF; END $lakeshift$`,
  ];
}

/** Gives NOT NULL back without a scan under a strong lock: validate the check, take it over, drop it. */
export function restoreNotNull(ours: Ours, changes: readonly Change[]): readonly Statement[] {
  return notNullOf(changes).flatMap(({ old }): Statement[] => {
    const name = quote(notNullName(ours, old));
    const there = `EXISTS (SELECT FROM pg_constraint WHERE conrelid = ${literal(tableOf(ours))}::regclass AND conname = ${literal(notNullName(ours, old))})`;
    const table = tableOf(ours);
    const when = (sql: string): string => `DO $lakeshift$ BEGIN IF ${there} THEN ${sql}; END IF; END $lakeshift$`;
    return [
      {
        id: `not-null:${old}:validate`,
        note: 'reads the table under a weak lock',
        sql: when(`ALTER TABLE ${table} VALIDATE CONSTRAINT ${name}`),
      },
      {
        id: `not-null:${old}:set`,
        note: 'the validated check spares the scan',
        sql: when(
          `ALTER TABLE ${table} ALTER COLUMN ${quote(old)} SET NOT NULL; ALTER TABLE ${table} DROP CONSTRAINT ${name}`,
        ),
      },
    ];
  });
}

/** From here on the new shape leads: one function is replaced, the table is not locked. */
export const cutover = (ours: Ours, changes: readonly Change[]): Alteration =>
  alteration(ours, 'cutover', 'cutover', 'do', leadBy(ours, changes, 'new'));

/** The shape that led before leads again; no row is touched. */
export const undoCutover = (ours: Ours, changes: readonly Change[], lead: Lead): readonly Alteration[] => [
  alteration(ours, 'cutover-undo', 'cutover', 'undo', leadBy(ours, changes, lead)),
];

/** Removes the trigger and the old columns. There is no way back from here. */
export function contract(ours: Ours, changes: readonly Change[]): Alteration {
  const old = typeChanges(changes).map((change) => `DROP COLUMN ${quote(change.old)}`);
  return alteration(ours, 'contract', 'contract', 'do', [
    ...dropSync(ours, changes),
    ...(old.length === 0
      ? []
      : [['the old columns go', `ALTER TABLE ${tableOf(ours)} ${old.join(', ')}`] satisfies [string, string]]),
  ]);
}

const leadBy = (ours: Ours, changes: readonly Change[], lead: Lead): readonly [string, string][] =>
  convertingChanges(changes).length === 0
    ? []
    : [[`the ${lead} shape wins where a write sets both`, createFunction(ours, changes, lead)]];

const dropSync = (ours: Ours, changes: readonly Change[]): readonly [string, string][] =>
  convertingChanges(changes).length === 0
    ? []
    : [
        ['the trigger goes', `DROP TRIGGER IF EXISTS ${quote(triggerName(ours))} ON ${tableOf(ours)}`],
        ['and its function', `DROP FUNCTION IF EXISTS ${functionName(ours)}()`],
      ];

const typeChanges = (changes: readonly Change[]): readonly TypeChange[] =>
  changes.filter((change): change is TypeChange => change.kind === 'type');
const notNullOf = (changes: readonly Change[]): readonly TypeChange[] =>
  typeChanges(changes).filter(({ oldNotNull }) => oldNotNull);
const notNullName = ({ mark }: Ours, column: string): string => `lakeshift_${mark}_${column}`.slice(0, 63);
