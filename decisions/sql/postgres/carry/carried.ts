import type { DependentFacts, DependentKind, TableFacts } from '../../../../contracts/facts.ts';
import type { Change, Replacement } from '../changes/change.ts';
import { quote } from '../identifier.ts';
import { tableOf, type Ours } from '../ours.ts';

/** What comes along from a column to the one that replaces it. */
export interface Carried {
  /** As the column is called before the cutover. */
  readonly change: Replacement;
  /** What is made anew for the new column, or moves to it. */
  readonly items: readonly CarriedItem[];
  /** Foreign keys of others that point at the old column and do not come along: they go before it. */
  readonly dropped: readonly DependentFacts[];
}

/** One of them, with the names it has besides its own. */
export interface CarriedItem extends DependentFacts {
  /** While both are there: the one on the new column. */
  readonly ourName: string;
  /** After an exchange of names: the one on the old column. */
  readonly heldName: string;
}

/** What comes along, for each column that is replaced. */
export function carriedBy(ours: Ours, facts: TableFacts, changes: readonly Change[]): readonly Carried[] {
  return changes.flatMap(({ replaces: change }): Carried[] => {
    if (change === null) return [];
    const mine = (facts.dependents ?? []).filter(({ column }) => column === change.old.name);
    const items = mine.filter((item) => comesAlong(change, item)).map((item) => named(ours, item));
    const dropped = mine.filter(({ kind, name }) => kind === 'reference' && change.leaveBehind.includes(name));
    return [{ change, items, dropped }];
  });
}

/** The old column's NOT NULL comes along too, unless the spec leaves it behind. */
export const keepsNotNull = ({ old, leaveBehind }: Replacement): boolean =>
  old.notNull && !leaveBehind.includes(notNullItem);

/** How a spec names a column's NOT NULL and its default in `leaveBehind`. */
export const notNullItem = 'not null';
export const defaultItem = 'default';

/** The items of some kinds. */
export const ofKind = ({ items }: Carried, ...kinds: readonly DependentKind[]): readonly CarriedItem[] =>
  items.filter(({ kind }) => kinds.includes(kind));

/** Tables besides our own, and views, that are locked when what comes along takes its place. */
export const lockedBy = (carried: readonly Carried[], ...kinds: readonly DependentKind[]): readonly string[] =>
  carried.flatMap((each) => ofKind(each, ...kinds).flatMap(({ table }) => (table === null ? [] : [table])));

/** The table that a constraint is on: of a foreign key that points here, the other one. */
export const tableOfConstraint = (ours: Ours, { kind, table }: DependentFacts): string =>
  kind === 'reference' && table !== null ? table : tableOf(ours);

function named(ours: Ours, item: DependentFacts): CarriedItem {
  const prefix = `lakeshift_${ours.mark}`;
  return { ...item, ourName: `${prefix}_new_${item.oid}`, heldName: `${prefix}_old_${item.oid}` };
}

/** Whether something takes its place on the new column. */
export function comesAlong(change: Replacement, item: DependentFacts): boolean {
  const { kind, name, deferrable } = item;
  if (kind === 'other' || change.leaveBehind.includes(name)) return false;
  // of another name and type a view's columns would be others: whoever owns it has to say what it shall show
  if (kind === 'view') return change.kind === 'swap' || (change.kind === 'rename' && deferrable === '');
  return change.kind !== 'type' || comesAlongChanged(change, item);
}

/** A column of another name and type brings along what it can; the rest is named, and goes with the old one. */
const comesAlongChanged = (change: Replacement, item: DependentFacts): boolean =>
  item.refused === null && !(item.kind === 'default' ? staysAsDefault(change) : speaksOfValues(change, item));

const staysAsDefault = ({ old, keepsValue }: Replacement): boolean =>
  old.constantDefault === null && !(keepsValue && old.notNull);

/** It holds constants or functions that were written for the old values, and the new ones are computed. */
export const speaksOfValues = ({ keepsValue }: Replacement, { computed, kind }: DependentFacts): boolean =>
  !keepsValue && computed && kind !== 'view';

/** An object beside the table, in its schema. */
export const beside = ({ schema }: Ours, name: string): string => `${quote(schema)}.${quote(name)}`;
