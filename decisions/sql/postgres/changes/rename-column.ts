import type { RenameColumnSpec } from '../../../../contracts/spec.ts';
import { parseName, quote } from '../identifier.ts';
import { cast, plain, type ReadChange } from './change.ts';
import { computedDefault, missing, replacement, rowRules, suspends } from './two-columns.ts';
import { twoWay, type Pair } from './two-way.ts';

/** A column under another name: until the contract there are two, and either may be written. */
export const renameColumn: ReadChange<RenameColumnSpec> = (spec, index, { columns }) => {
  const name = parseName(spec.to);
  const old = columns.find((column) => column.name === parseName(spec.rename));
  if (name === null || old === undefined) return null;
  const fresh = { name, type: old.type };
  const pair: Pair = {
    old: { name: old.name, type: old.type },
    fresh,
    // the column's own NOT NULL stays: whatever one name holds, the other holds too
    oldNotNull: false,
    oldDefault: old.constantDefault,
    up: cast(quote(old.name), old.type),
    down: cast(quote(name), old.type),
    reads: { up: old.name, down: name },
    suspendedDefault: computedDefault(old),
    lossless: true,
    refusesMisfits: false,
  };
  return {
    ...plain,
    index,
    classification: {
      change: `${old.name} → ${name}`,
      class: 'unsafe',
      because: 'whoever still uses the old name fails at once; made safe by a second column that holds the same',
    },
    title: `ADD COLUMN ${name} ${old.type}`,
    columns: [old.name, name],
    added: { ...fresh, default: null, collation: old.collation ?? null, pointer: `/changes/${index}/to` },
    dropped: old.name,
    moves: true,
    suspends: suspends(pair),
    conversion: { column: name, value: pair.up, missing: missing({ ...pair, oldNotNull: old.notNull }) },
    sync: (ours, lead) => twoWay(ours, pair, lead),
    rows: rowRules(pair, false),
    replaces: replacement('rename', spec, old, pair),
  };
};
