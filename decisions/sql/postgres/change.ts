import type { ChangeSpec } from '../../../contracts/spec.ts';
import type { ColumnFacts } from '../../../contracts/facts.ts';
import { parseColumn, parseName, quote } from './identifier.ts';

/** One change of a spec, with its names parsed and its expressions cast to their column's type. */
export type Change = AddChange | TypeChange;

interface ChangeBase {
  /** Its place in the spec. */
  readonly index: number;
  /** The new column. */
  readonly name: string;
  readonly type: string;
}

export interface AddChange extends ChangeBase {
  readonly kind: 'add';
  /** SQL over the row, cast to the column's type; null: rows that are there stay without a value. */
  readonly up: string | null;
  readonly default: string | null;
}

export interface TypeChange extends ChangeBase {
  readonly kind: 'type';
  /** The old column. */
  readonly old: string;
  readonly oldType: string;
  readonly oldNotNull: boolean;
  /** The old column's default where it is a plain constant. */
  readonly oldDefault: string | null;
  readonly up: string;
  readonly down: string;
}

/** Reads the changes of a spec that `checkSpec` let through; a type change whose old column is not there is left out. */
export function changesOf(changes: readonly ChangeSpec[], columns: readonly ColumnFacts[]): readonly Change[] {
  return changes.flatMap((change, index): Change[] => {
    if ('add' in change) return addChange(change.add, change.up, change.default, index);
    const column = parseColumn(change.to);
    const old = columns.find(({ name }) => name === parseName(change.type));
    if (column === null || old === undefined) return [];
    return [
      {
        kind: 'type',
        index,
        ...column,
        old: old.name,
        oldType: old.type,
        oldNotNull: old.notNull,
        oldDefault: old.constantDefault,
        up: cast(change.up, column.type),
        down: cast(change.down, old.type),
      },
    ];
  });
}

function addChange(add: string, up: string | undefined, fallback: string | undefined, index: number): Change[] {
  const column = parseColumn(add);
  if (column === null) return [];
  return [
    {
      kind: 'add',
      index,
      ...column,
      up: up === undefined ? null : cast(up, column.type),
      default: fallback === undefined ? null : cast(fallback, column.type),
    },
  ];
}

const cast = (expression: string, type: string): string => `(${expression})::${type}`;

/** Changes that give existing rows a value. */
export const convertingChanges = (changes: readonly Change[]): readonly ConvertingChange[] =>
  changes.filter((change): change is ConvertingChange => change.up !== null);
export type ConvertingChange = TypeChange | (AddChange & { readonly up: string });

/**
 * SQL: the row still needs the backfill. What is not NULL was written by the trigger, by the application or by an
 * earlier chunk; whether it is right is for the verification to say, which asks in another way.
 */
export const needsConversion = (change: ConvertingChange): string => {
  const missing = `${quote(change.name)} IS NULL`;
  // from a value that is there a conversion rarely makes NULL: then asking first costs more than writing in vain
  return change.kind === 'type' && change.oldNotNull ? missing : `(${missing} AND ${change.up} IS NOT NULL)`;
};

/** What the `SET` of the backfill writes: with several changes, each column only where it needs it. */
export function conversions(changes: readonly ConvertingChange[]): string {
  if (changes.length === 1) return changes.map((change) => `${quote(change.name)} = ${change.up}`).join(', ');
  return changes
    .map(
      (change) =>
        `${quote(change.name)} = CASE WHEN ${needsConversion(change)} THEN ${change.up} ELSE ${quote(change.name)} END`,
    )
    .join(',\n       ');
}
