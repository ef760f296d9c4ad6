import type { ChangeTypeSpec } from '../../../../contracts/spec.ts';
import { parseColumn, parseName, quote } from '../identifier.ts';
import { fittingName } from '../ours.ts';
import { cast, plain, type ReadChange } from './change.ts';
import { alwaysFits, isColumn, missing, rowRules } from './two-columns.ts';
import { twoWay, type Pair } from './two-way.ts';

/** True when a column changes its type and keeps its name. */
export const isSwap = ({ type, to }: ChangeTypeSpec): boolean => parseName(type) === parseColumn(to)?.name;

/**
 * A column's value in another type, under the same name. Until the cutover the new column has a name of ours; then the
 * two exchange their names in one transaction, and the old one is kept true under a name of ours until the contract.
 */
export const swapType: ReadChange<ChangeTypeSpec> = (spec, index, { columns, mark, side }) => {
  const wanted = parseColumn(spec.to);
  const old = columns.find(({ name }) => name === parseName(spec.type));
  if (wanted === null || old === undefined) return null;
  const fresh = {
    name: side === 'before' ? fittingName(mark, 'new', old.name, index) : old.name,
    type: wanted.type,
  };
  const oldName = side === 'before' ? old.name : fittingName(mark, 'old', old.name, index);
  const pair: Pair = {
    old: { name: oldName, type: old.type },
    fresh,
    oldNotNull: old.notNull,
    // the new column can't be written by name before the cutover, and the old one has no default after it
    oldDefault: null,
    up: cast(spec.up ?? quote(oldName), fresh.type),
    down: cast(spec.down ?? quote(fresh.name), old.type),
    reads: {
      up: spec.up === undefined ? oldName : old.name,
      down: spec.down === undefined ? fresh.name : old.name,
    },
    suspendedDefault: null,
    lossless: false,
    refusesMisfits: spec.misfits === 'refuse',
  };
  return {
    ...plain,
    index,
    classification: {
      change: `${old.name} ${old.type} → ${fresh.type}`,
      class: 'unsafe',
      because:
        'changing a type rewrites the table under an exclusive lock; made safe by a second column that takes over the name in one transaction',
    },
    title: `ADD COLUMN ${fresh.name} ${fresh.type}`,
    columns: [old.name, fresh.name],
    added: { ...fresh, default: null, pointer: `/changes/${index}/to` },
    dropped: oldName,
    moves: true,
    expressions: [
      { field: 'up', type: fresh.type, sql: pair.up, reads: old.name },
      { field: 'down', type: old.type, sql: pair.down, reads: pair.reads.down, input: fresh },
    ],
    conversion: { column: fresh.name, value: pair.up, missing: missing(pair) },
    sync: (ours, lead) => twoWay(ours, pair, lead),
    rows: rowRules(pair, old.notNull && spec.leaveBehind?.includes('not null') !== true),
    replaces: {
      kind: 'swap',
      old,
      fresh,
      oldName,
      up: pair.up,
      keepsValue: isColumn(spec.up, old.name),
      alwaysFits: isColumn(spec.up, old.name) && alwaysFits(old.type, fresh.type),
      refusesMisfits: pair.refusesMisfits,
      leaveBehind: spec.leaveBehind ?? [],
    },
  };
};
