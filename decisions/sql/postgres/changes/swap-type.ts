import type { ColumnFacts } from '../../../../contracts/facts.ts';
import type { ChangeTypeSpec } from '../../../../contracts/spec.ts';
import { parseColumn, parseName, quote } from '../identifier.ts';
import { fittingName } from '../ours.ts';
import { cast, plain, type Reading, type ReadChange } from './change.ts';
import { leaves, missing, replacement, rowRules } from './two-columns.ts';
import { twoWay, type Pair } from './two-way.ts';

/** True when a column changes its type and keeps its name. */
export const isSwap = ({ type, to }: ChangeTypeSpec): boolean => parseName(type) === parseColumn(to)?.name;

/**
 * A column's value in another type, under the same name. Until the cutover the new column has a name of ours; then the
 * two exchange their names in one transaction, and the old one is kept true under a name of ours until the contract.
 */
export const swapType: ReadChange<ChangeTypeSpec> = (spec, index, reading) => {
  const wanted = parseColumn(spec.to);
  const old = reading.columns.find(({ name }) => name === parseName(spec.type));
  if (wanted === null || old === undefined) return null;
  const pair = pairOf(spec, old, namesOn(reading, old.name, index), wanted.type);
  const { fresh } = pair;
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
    dropped: pair.old.name,
    moves: true,
    expressions: [
      { field: 'up', type: fresh.type, sql: pair.up, reads: old.name },
      { field: 'down', type: old.type, sql: pair.down, reads: pair.reads.down, input: fresh },
    ],
    conversion: { column: fresh.name, value: pair.up, missing: missing(pair) },
    sync: (ours, lead) => twoWay(ours, pair, lead),
    rows: rowRules(pair, old.notNull && !leaves(spec, 'not null')),
    replaces: replacement('swap', spec, old, pair),
  };
};

interface Names {
  readonly old: string;
  readonly fresh: string;
}

const namesOn = ({ mark, side }: Reading, column: string, index: number): Names =>
  side === 'before'
    ? { old: column, fresh: fittingName(mark, 'new', column, index) }
    : { old: fittingName(mark, 'old', column, index), fresh: column };

/** The spec's expressions know either column by the name that both have, one after the other. */
const pairOf = (spec: ChangeTypeSpec, old: ColumnFacts, names: Names, type: string): Pair => ({
  old: { name: names.old, type: old.type },
  fresh: { name: names.fresh, type },
  oldNotNull: old.notNull,
  // the new column can't be written by name before the cutover, and the old one has no default after it
  oldDefault: null,
  up: cast(spec.up ?? quote(names.old), type),
  down: cast(spec.down ?? quote(names.fresh), old.type),
  reads: {
    up: spec.up === undefined ? names.old : old.name,
    down: spec.down === undefined ? names.fresh : old.name,
  },
  suspendedDefault: null,
  lossless: false,
  refusesMisfits: spec.misfits === 'refuse',
});
