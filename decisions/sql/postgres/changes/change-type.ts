import type { ColumnFacts } from '../../../../contracts/facts.ts';
import type { ChangeTypeSpec } from '../../../../contracts/spec.ts';
import { parseColumn, parseName, quote } from '../identifier.ts';
import { cast, plain, type ReadChange } from './change.ts';
import { computedDefault, isColumn, leaves, missing, replacement, rowRules, suspends } from './two-columns.ts';
import { twoWay, type Pair } from './two-way.ts';

/** A column's value in another type, in a column of another name; both are kept true until the contract. */
export const changeType: ReadChange<ChangeTypeSpec> = (spec, index, { columns }) => {
  const fresh = parseColumn(spec.to);
  const old = columns.find(({ name }) => name === parseName(spec.type));
  if (fresh === null || old === undefined) return null;
  const pair = pairOf(spec, old, fresh);
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
    suspends: suspends(pair),
    expressions: [
      { field: 'up', type: fresh.type, sql: pair.up, reads: old.name },
      { field: 'down', type: old.type, sql: pair.down, reads: fresh.name },
    ],
    conversion: { column: fresh.name, value: pair.up, missing: missing(pair) },
    sync: (ours, lead) => twoWay(ours, pair, lead),
    rows: rowRules(pair, old.notNull && !leaves(spec, 'not null')),
    replaces: replacement('type', spec, old, pair),
  };
};

function pairOf(spec: ChangeTypeSpec, old: ColumnFacts, fresh: Pair['fresh']): Pair {
  const comesAlong = old.notNull && isColumn(spec.up, old.name) && !leaves(spec, 'default');
  return {
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
}
