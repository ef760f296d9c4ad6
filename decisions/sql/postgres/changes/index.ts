import type { ColumnFacts } from '../../../../contracts/facts.ts';
import type { ChangeSpec, TableSpec } from '../../../../contracts/spec.ts';
import { markOf } from '../ours.ts';
import { addColumn } from './add-column.ts';
import type { Change, Reading, Side } from './change.ts';
import { changeType } from './change-type.ts';
import { dropColumn } from './drop-column.ts';
import { renameColumn } from './rename-column.ts';
import { setNotNull } from './set-not-null.ts';
import { isSwap, swapType } from './swap-type.ts';

/**
 * Reads the changes of a spec that `checkSpec` let through, as they are before the cutover or after it; one whose
 * column is not there is left out.
 */
export function changesOf(spec: TableSpec, columns: readonly ColumnFacts[], side: Side = 'before'): readonly Change[] {
  const reading = { columns, mark: markOf(spec), side };
  return spec.changes.flatMap((change, index): Change[] => {
    const read = readOne(change, index, reading);
    return read === null ? [] : [read];
  });
}

function readOne(change: ChangeSpec, index: number, reading: Reading): Change | null {
  if ('add' in change) return addColumn(change, index, reading);
  if ('drop' in change) return dropColumn(change, index, reading);
  if ('rename' in change) return renameColumn(change, index, reading);
  if ('notNull' in change) return setNotNull(change, index, reading);
  return isSwap(change) ? swapType(change, index, reading) : changeType(change, index, reading);
}
