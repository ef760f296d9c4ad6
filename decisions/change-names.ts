import type { ChangeSpec } from '../contracts/spec.ts';
import { parseColumn, parseName } from './sql/postgres/identifier.ts';

/** A column that a change names: in which field, and whether it must be there already or must not. */
export interface NamedColumn {
  readonly field: string;
  readonly name: string;
  readonly isThere: boolean;
}

/** The columns that one change names; what can't be read is left out. */
export function columnsNamed(change: ChangeSpec): readonly NamedColumn[] {
  if ('add' in change) return fresh('add', change.add);
  if ('drop' in change) return there('drop', change.drop);
  if ('notNull' in change) return there('notNull', change.notNull);
  return [...there('type', change.type), ...fresh('to', change.to)];
}

const fresh = (field: string, text: string): NamedColumn[] => named(field, parseColumn(text)?.name, false);
const there = (field: string, text: string): NamedColumn[] => named(field, parseName(text), true);
const named = (field: string, name: string | null | undefined, isThere: boolean): NamedColumn[] =>
  name === null || name === undefined ? [] : [{ field, name, isThere }];
