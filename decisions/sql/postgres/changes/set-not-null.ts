import type { ColumnFacts } from '../../../../contracts/facts.ts';
import type { SetNotNullSpec } from '../../../../contracts/spec.ts';
import { isNull, isThere } from '../compare.ts';
import { parseName, quote } from '../identifier.ts';
import { cast, plain, type Change, type ReadChange, type RowRules } from './change.ts';
import { fillMissing, judgedWith } from './parts.ts';

/** A column that may no longer be empty; with `up` rows without a value get one. */
export const setNotNull: ReadChange<SetNotNullSpec> = (spec, index, { columns }) => {
  const column = columns.find(({ name }) => name === parseName(spec.notNull));
  if (column === undefined) return null;
  const shape: Change = {
    ...plain,
    index,
    classification: {
      change: `${column.name} NOT NULL`,
      class: 'unsafe',
      because:
        'SET NOT NULL reads the whole table under an exclusive lock; made safe by a check that is validated under a weak one',
    },
    title: `watch over column ${column.name}`,
    columns: [column.name],
    moves: true,
    setsNotNull: column.name,
    rows: rowRules(column, null),
  };
  return spec.up === undefined ? shape : filled(shape, column, cast(spec.up, column.type));
};

function filled(shape: Change, column: ColumnFacts, up: string): Change {
  const { name, type } = column;
  return {
    ...shape,
    title: `fill column ${name} where it is empty`,
    expressions: [{ field: 'up', type, sql: up, reads: null }],
    conversion: { column: name, value: up, missing: `(${isNull(type, quote(name))} AND ${isThere(type, up)})` },
    sync: () => fillMissing(column, up),
    rows: rowRules(column, up),
    findings: [
      {
        code: 'FILLED_STAYS',
        level: 'warned',
        detail: `rows of ${name} that are filled stay so when one goes back: which of them were empty is not kept`,
      },
    ],
  };
}

/** Without `up` every row must have a value already; with it, every row gets one. */
function rowRules({ name, type }: ColumnFacts, up: string | null): RowRules {
  const right = isThere(type, `r.${quote(name)}`);
  return {
    converted: null,
    misfit: `(${isNull(type, `r.${quote(name)}`)}${up === null ? '' : ` AND ${isNull(type, up)}`})`,
    roundTripLoss: 'false',
    intact: right,
    right,
    losesGoingBack: 'false',
    comparison: judgedWith(right),
  };
}
