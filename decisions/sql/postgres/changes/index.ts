import type { ColumnFacts } from '../../../../contracts/facts.ts';
import type { ChangeSpec } from '../../../../contracts/spec.ts';
import { addColumn } from './add-column.ts';
import { changeType } from './change-type.ts';
import type { Change } from './change.ts';
import { dropColumn } from './drop-column.ts';
import { setNotNull } from './set-not-null.ts';

/** Reads the changes of a spec that `checkSpec` let through; one whose column is not there is left out. */
export function changesOf(changes: readonly ChangeSpec[], columns: readonly ColumnFacts[]): readonly Change[] {
  return changes.flatMap((change, index): Change[] => {
    const read = readOne(change, index, columns);
    return read === null ? [] : [read];
  });
}

function readOne(change: ChangeSpec, index: number, columns: readonly ColumnFacts[]): Change | null {
  if ('add' in change) return addColumn(change, index, columns);
  if ('drop' in change) return dropColumn(change, index, columns);
  if ('notNull' in change) return setNotNull(change, index, columns);
  return changeType(change, index, columns);
}
