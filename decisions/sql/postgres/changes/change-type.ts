import type { ChangeTypeSpec } from '../../../../contracts/spec.ts';
import { parseColumn, parseName, quote } from '../identifier.ts';
import { cast, plain, type ReadChange } from './change.ts';
import { alwaysFits, computedDefault, isColumn, missing, rowRules } from './two-columns.ts';
import { twoWay, type Pair } from './two-way.ts';

/** A column's value in another type, in a column of another name; both are kept true until the contract. */
export const changeType: ReadChange<ChangeTypeSpec> = (spec, index, { columns }) => {
  const fresh = parseColumn(spec.to);
  const old = columns.find(({ name }) => name === parseName(spec.type));
  if (fresh === null || old === undefined) return null;
  const comesAlong = isColumn(spec.up, old.name) && spec.leaveBehind?.includes('default') !== true;
  const pair: Pair = {
    old: { name: old.name, type: old.type },
    fresh,
    oldNotNull: old.notNull,
    oldDefault: old.constantDefault,
    up: cast(spec.up ?? quote(old.name), fresh.type),
    down: cast(spec.down ?? quote(fresh.name), old.type),
    reads: { up: old.name, down: fresh.name },
    suspendedDefault: comesAlong ? computedDefault(old) : null,
    lossless: false,
    refusesMisfits: spec.misfits === 'refuse',
  };
  return {
    ...plain,
    index,
    classification: {
      change: `${old.name} ${old.type} → ${fresh.name} ${fresh.type}`,
      class: 'unsafe',
      because:
        'changing a type rewrites the table under an exclusive lock and breaks readers of the old type; made safe by a second column',
    },
    title: `ADD COLUMN ${fresh.name} ${fresh.type}`,
    columns: [old.name, fresh.name],
    added: { ...fresh, default: null, pointer: `/changes/${index}/to` },
    dropped: old.name,
    moves: true,
    lifted: old.notNull ? old.name : null,
    suspends: pair.suspendedDefault === null ? null : { column: old.name, default: pair.suspendedDefault },
    expressions: [
      { field: 'up', type: fresh.type, sql: pair.up, reads: old.name },
      { field: 'down', type: old.type, sql: pair.down, reads: fresh.name },
    ],
    conversion: { column: fresh.name, value: pair.up, missing: missing(pair) },
    sync: (ours, lead) => twoWay(ours, pair, lead),
    rows: rowRules(pair, old.notNull && spec.leaveBehind?.includes('not null') !== true),
    replaces: {
      kind: 'type',
      old,
      fresh,
      oldName: old.name,
      up: pair.up,
      keepsValue: isColumn(spec.up, old.name),
      alwaysFits: isColumn(spec.up, old.name) && alwaysFits(old.type, fresh.type),
      refusesMisfits: pair.refusesMisfits,
      leaveBehind: spec.leaveBehind ?? [],
    },
  };
};
