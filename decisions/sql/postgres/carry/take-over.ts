import type { Statement } from '../../../../contracts/plan.ts';
import type { NamedSql } from '../alteration.ts';
import { quote } from '../identifier.ts';
import { notNullCheck, takeOverNotNull } from '../not-null.ts';
import { tableOf, type Ours } from '../ours.ts';
import { buildsNotNull } from './build.ts';
import { keepsNotNull, ofKind, tableOfConstraint, type Carried } from './carried.ts';
import { newDefault, ownSequences, widenSequences } from './defaults.ts';
import { renamed, renamedNotNull, settingsOf } from './names.ts';

/** What the contract does around the drop of the old columns. */
export interface TakeOver {
  readonly before: readonly NamedSql[];
  readonly after: readonly NamedSql[];
  /** Statements that take long and lock little, run afterwards. */
  readonly long: readonly Statement[];
}

/** What was built takes the names and the place of what goes with the old columns. */
export function takeOver(ours: Ours, carried: readonly Carried[]): TakeOver {
  const late = carried.filter((each) => each.change.kind === 'type' && isLate(each));
  return {
    before: carried.flatMap((each) => before(ours, each)),
    after: [
      ...carried.flatMap((each) => (each.change.kind === 'swap' ? widenSequences(each) : after(ours, each))),
      ...late.map(({ change }): NamedSql => [
        'NOT NULL for new rows; no row is read',
        `ALTER TABLE ${tableOf(ours)} ADD ${notNullCheck(ours, change.fresh.name)}`,
      ]),
    ],
    long: takeOverNotNull(
      ours,
      late.map(({ change }) => change.fresh.name),
    ),
  };
}

/** NOT NULL that comes along, but not before the old application has gone: a write that doesn't convert would fail. */
export const isLate = (each: Carried): boolean => keepsNotNull(each.change) && !buildsNotNull(each);

function before(ours: Ours, each: Carried): readonly NamedSql[] {
  const { change, dropped } = each;
  const references = [...dropped, ...(change.kind === 'swap' ? heldReferences(each) : ofKind(each, 'reference'))];
  const drops = references.map((item): NamedSql => [
    `foreign key ${item.name} to the old column goes`,
    `ALTER TABLE ${tableOfConstraint(ours, item)} DROP CONSTRAINT ${quote(item.name)}`,
  ]);
  if (change.kind === 'swap') return drops;
  return [
    ...drops,
    ...ofKind(each, 'view').flatMap(({ table, definition, settings, name }): NamedSql[] => [
      [`view ${name} reads the new column`, `CREATE OR REPLACE VIEW ${table ?? ''} AS ${definition ?? ''}`],
      ...settings.map((sql): NamedSql => [`as ${name} had it`, sql]),
    ]),
    ...ownSequences(ours, each, change.fresh.name),
  ];
}

/** After an exchange the old foreign keys have names of ours; with a primary key they went at the cutover. */
const heldReferences = (each: Carried) =>
  ofKind(each, 'primary key').length > 0
    ? []
    : ofKind(each, 'reference').map((item) => ({ ...item, name: item.heldName }));

function after(ours: Ours, each: Carried): readonly NamedSql[] {
  const { fresh } = each.change;
  return [
    ...ofKind(each, 'primary key').map(({ name, ourName, deferrable }): NamedSql => [
      `primary key ${name}`,
      `ALTER TABLE ${tableOf(ours)} ADD CONSTRAINT ${quote(name)} PRIMARY KEY USING INDEX ${quote(ourName)}${deferrable}`,
    ]),
    ...ofKind(each, 'index', 'unique', 'check', 'foreign key', 'reference', 'statistics').map((item) =>
      renamed(ours, item, item.ourName, item.name),
    ),
    ...ofKind(each, 'not null')
      .filter(() => buildsNotNull(each))
      .map(({ name }): NamedSql => [`NOT NULL is called ${name}`, renamedNotNull(ours, fresh.name, name)]),
    ...newDefault(ours, each, fresh.name),
    ...settingsOf(ofKind(each, 'index', 'primary key', 'unique', 'check', 'foreign key', 'reference', 'statistics')),
  ];
}
