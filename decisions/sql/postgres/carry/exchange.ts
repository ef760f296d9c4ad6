import type { Statement } from '../../../../contracts/plan.ts';
import type { NamedSql } from '../alteration.ts';
import { quote } from '../identifier.ts';
import { notNullCheck, notNullName, takeOverNotNull } from '../not-null.ts';
import { setting, tableOf, type Ours } from '../ours.ts';
import { backName } from './build.ts';
import { ofKind, tableOfConstraint, type Carried, type CarriedItem } from './carried.ts';
import { moveIdentity, newDefault, ownSequences } from './defaults.ts';
import { renamed, renamedNotNull, settingsOf } from './names.ts';
import { isLate } from './take-over.ts';

/** A swap, and what the old column is called after it. */
export interface Swap {
  readonly carried: Carried;
  readonly heldName: string;
}

const carriedOf = (swaps: readonly Swap[]): readonly Carried[] => swaps.map(({ carried }) => carried);

const bound = ['index', 'unique', 'check', 'foreign key', 'statistics'] as const;

/**
 * The two columns of each swap exchange their names, and so does what hangs on them; all in one transaction. What a name
 * stands for is another column from then on, for everybody who asks for it.
 */
export function exchange(ours: Ours, swaps: readonly Swap[]): readonly NamedSql[] {
  const table = tableOf(ours);
  return [
    ...dropViews(carriedOf(swaps)),
    ...swaps.flatMap(({ carried, heldName }): NamedSql[] => {
      const { change } = carried;
      const { old, fresh } = change;
      return [
        ...primaryKeyGoes(ours, carried),
        ...dropDefault(ours, carried),
        ...(old.notNull && !change.refusesMisfits
          ? [[`${old.name} may hold what its type can't`, lift(table, old.name)] satisfies NamedSql]
          : []),
        ...columns(table, [old.name, heldName], [fresh.name, old.name]),
        ...namesExchanged(ours, carried, 'there'),
        ...notNullNames(ours, carried, heldName),
        ...primaryKeyComes(ours, carried),
        ...moveIdentity(ours, carried, heldName, { name: old.name, type: fresh.type }),
        ...newDefault(ours, carried, old.name),
        ...ownSequences(ours, carried, old.name),
        ...settingsOf(settled(carried)),
        ...(isLate(carried)
          ? [
              [
                'NOT NULL for new rows; no row is read',
                `ALTER TABLE ${table} ADD ${notNullCheck(ours, old.name)}`,
              ] satisfies NamedSql,
            ]
          : []),
      ];
    }),
    ...createViews(carriedOf(swaps)),
  ];
}

/** The same the other way round: every name stands for what it stood for before. No row is touched. */
export function exchangeBack(ours: Ours, swaps: readonly Swap[]): readonly NamedSql[] {
  const table = tableOf(ours);
  return [
    ...dropViews(carriedOf(swaps)),
    ...swaps.flatMap(({ carried, heldName }): NamedSql[] => {
      const { change } = carried;
      const { old, fresh } = change;
      return [
        ...primaryKeyGoes(ours, carried),
        ...dropDefault(ours, carried),
        ...columns(table, [old.name, fresh.name], [heldName, old.name]),
        ...lateNotNullGoes(ours, carried),
        ...namesExchanged(ours, carried, 'back'),
        ...notNullNamesBack(ours, carried),
        ...primaryKeyReturns(ours, carried),
        ...moveIdentity(ours, carried, fresh.name, old),
        ...oldDefault(ours, carried),
        ...ownSequences(ours, carried, old.name),
        ...settingsOf(settled(carried)),
      ];
    }),
    ...createViews(carriedOf(swaps)),
  ];
}

/** Foreign keys that were made anew for the way back are checked when everything else is as it was. */
export function checkReturned(ours: Ours, swaps: readonly Swap[]): readonly Statement[] {
  const references = swaps
    .filter(({ carried }) => ofKind(carried, 'primary key').length > 0)
    .flatMap(({ carried }) => ofKind(carried, 'reference'));
  const role = references.length === 0 ? [] : setting(ours, 'SET');
  return [
    ...role,
    ...references.map((item) => ({
      id: `validate:${item.name}`,
      note: 'reads the rows under a weak lock',
      sql: `ALTER TABLE ${tableOfConstraint(ours, item)} VALIDATE CONSTRAINT ${quote(item.name)}`,
    })),
  ];
}

/** NOT NULL that could not be there before the exchange, checked after it. */
export const lateNotNull = (ours: Ours, swaps: readonly Swap[]): readonly Statement[] =>
  swaps
    .filter(({ carried }) => isLate(carried))
    .flatMap(({ carried }) => [
      ...takeOverNotNull(ours, [carried.change.old.name]),
      ...ofKind(carried, 'not null').map((item) => ({
        id: `not-null:${carried.change.old.name}:name`,
        note: `called ${item.name}, as it was`,
        sql: renamedNotNull(ours, carried.change.old.name, item.name),
      })),
    ]);

/** The old column leads again: the new one may be empty where a write does not convert, as before the exchange. */
const lateNotNullGoes = (ours: Ours, carried: Carried): readonly NamedSql[] => {
  const { old, fresh } = carried.change;
  const clauses = `DROP CONSTRAINT IF EXISTS ${quote(notNullName(ours, old.name))}, ALTER COLUMN ${quote(fresh.name)} DROP NOT NULL`;
  return isLate(carried) ? [['the new column may be empty again', `ALTER TABLE ${tableOf(ours)} ${clauses}`]] : [];
};

const lift = (table: string, column: string): string =>
  `ALTER TABLE ${table} ALTER COLUMN ${quote(column)} DROP NOT NULL`;

const columns = (table: string, ...names: readonly (readonly [from: string, to: string])[]): readonly NamedSql[] =>
  names.map(([from, to]) => [
    `${from} is called ${to}`,
    `ALTER TABLE ${table} RENAME COLUMN ${quote(from)} TO ${quote(to)}`,
  ]);

const dropDefault = (ours: Ours, { change: { old } }: Carried): readonly NamedSql[] =>
  old.hasDefault
    ? [['no default while names change', `ALTER TABLE ${tableOf(ours)} ALTER COLUMN ${quote(old.name)} DROP DEFAULT`]]
    : [];

const oldDefault = (ours: Ours, { change: { old } }: Carried): readonly NamedSql[] =>
  old.defaultSql == null
    ? []
    : [
        [
          'the default is back',
          `ALTER TABLE ${tableOf(ours)} ALTER COLUMN ${quote(old.name)} SET DEFAULT ${old.defaultSql}`,
        ],
      ];

/** Foreign keys to a primary key hold its index: they go with it, and those to the new one are there already. */
function primaryKeyGoes(ours: Ours, carried: Carried): readonly NamedSql[] {
  return ofKind(carried, 'primary key').flatMap(({ name }): NamedSql[] => [
    ...ofKind(carried, 'reference').map((item): NamedSql => [
      `foreign key ${item.name} as it is goes`,
      `ALTER TABLE ${tableOfConstraint(ours, item)} DROP CONSTRAINT ${quote(item.name)}`,
    ]),
    [`primary key ${name} goes`, `ALTER TABLE ${tableOf(ours)} DROP CONSTRAINT ${quote(name)}`],
  ]);
}

const primaryKey = (ours: Ours, { name, deferrable }: CarriedItem, index: string): NamedSql => [
  `primary key ${name}; its index is there`,
  `ALTER TABLE ${tableOf(ours)} ADD CONSTRAINT ${quote(name)} PRIMARY KEY USING INDEX ${quote(index)}${deferrable}`,
];

const primaryKeyComes = (ours: Ours, carried: Carried): readonly NamedSql[] =>
  ofKind(carried, 'primary key').flatMap((item) => [
    primaryKey(ours, item, item.ourName),
    ...ofKind(carried, 'reference').map((reference) => renamed(ours, reference, reference.ourName, reference.name)),
  ]);

const primaryKeyReturns = (ours: Ours, carried: Carried): readonly NamedSql[] =>
  ofKind(carried, 'primary key').flatMap((item) => [
    primaryKey(ours, item, backName(ours, item)),
    ...ofKind(carried, 'reference').map((reference): NamedSql => [
      `foreign key ${reference.name}, for new rows; no row is read`,
      `ALTER TABLE ${tableOfConstraint(ours, reference)} ADD CONSTRAINT ${quote(reference.name)} ${reference.original ?? ''} NOT VALID`,
    ]),
  ]);

function namesExchanged(ours: Ours, carried: Carried, way: 'there' | 'back'): readonly NamedSql[] {
  const references = ofKind(carried, 'primary key').length > 0 ? [] : ofKind(carried, 'reference');
  return [...ofKind(carried, ...bound), ...references].flatMap((item) =>
    way === 'there'
      ? [renamed(ours, item, item.name, item.heldName), renamed(ours, item, item.ourName, item.name)]
      : [renamed(ours, item, item.name, item.ourName), renamed(ours, item, item.heldName, item.name)],
  );
}

const notNullNames = (ours: Ours, carried: Carried, heldName: string): readonly NamedSql[] =>
  ofKind(carried, 'not null').flatMap((item): NamedSql[] => [
    [`NOT NULL of the old column is called ${item.heldName}`, renamedNotNull(ours, heldName, item.heldName)],
    [`NOT NULL of the new one is called ${item.name}`, renamedNotNull(ours, carried.change.old.name, item.name)],
  ]);

const notNullNamesBack = (ours: Ours, carried: Carried): readonly NamedSql[] =>
  ofKind(carried, 'not null').flatMap((item): NamedSql[] => [
    [
      `NOT NULL of the new column is called ${item.ourName}`,
      renamedNotNull(ours, carried.change.fresh.name, item.ourName),
    ],
    [`NOT NULL of the old one is called ${item.name}`, renamedNotNull(ours, carried.change.old.name, item.name)],
  ]);

const settled = (carried: Carried): readonly CarriedItem[] =>
  ofKind(carried, ...bound, 'primary key', 'reference', 'sequence');

/** Views know columns by number: they are made anew from the same text, by which they know the column of that name. */
const viewsOf = (carried: readonly Carried[]): readonly CarriedItem[] =>
  carried.flatMap((each) => ofKind(each, 'view'));

/** Views over columns that change their type, each before all that it reads. */
export const dropViews = (carried: readonly Carried[]): readonly NamedSql[] =>
  [...viewsOf(carried)]
    .reverse()
    .map(({ name, table }) => [`view ${name} is made anew below`, `DROP VIEW ${table ?? ''}`]);

/** The same views with all that they had. */
export const createViews = (carried: readonly Carried[]): readonly NamedSql[] =>
  viewsOf(carried).flatMap(({ name, table, original, settings }): NamedSql[] => [
    [`view ${name} as it was`, `CREATE VIEW ${table ?? ''} AS ${original ?? ''}`],
    ...settings.map((sql): NamedSql => [`as ${name} had it`, sql]),
  ]);
