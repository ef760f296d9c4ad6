import type { AddColumnSpec } from '../../../../contracts/spec.ts';
import { isNull, isThere } from '../compare.ts';
import { parseColumn, quote } from '../identifier.ts';
import { cast, plain, type Change, type Expression, type ReadChange, type RowRules } from './change.ts';
import { fillMissing, judgedWith } from './parts.ts';

/** A new column; with `up` every row gets a value computed from its other columns. */
export const addColumn: ReadChange<AddColumnSpec> = (spec, index) => {
  const column = parseColumn(spec.add);
  if (column === null) return null;
  const { name, type } = column;
  const fallback = spec.default === undefined ? null : cast(spec.default, type);
  const shape: Change = {
    ...plain,
    index,
    columns: [name],
    title: `ADD COLUMN ${name} ${type}`,
    added: { name, type, default: fallback, pointer: `/changes/${index}/add` },
    expressions: fallback === null ? [] : [{ field: 'default', type, sql: fallback, reads: null }],
    classification: {
      change: `add ${name} ${type}`,
      class: 'safe',
      because: 'only the catalog changes; rows are not rewritten',
    },
  };
  return spec.up === undefined ? shape : filled(shape, name, cast(spec.up, type), type);
};

function filled(shape: Change, name: string, up: string, type: string): Change {
  const missing = `(${isNull(type, quote(name))} AND ${isThere(type, up)})`;
  const expression: Expression = { field: 'up', type, sql: up, reads: null };
  return {
    ...shape,
    expressions: [expression, ...shape.expressions],
    conversion: { column: name, value: up, missing },
    sync: () => fillMissing({ name, type }, up),
    rows: rowRules(name, type, up),
    classification: {
      ...shape.classification,
      class: 'unsafe',
      because: 'every row must be rewritten; made safe by chunks that give way to the application',
    },
  };
}

function rowRules(name: string, type: string, up: string): RowRules {
  const right = `(${isThere(type, `r.${quote(name)}`)} OR ${isNull(type, up)})`;
  return {
    converted: { column: name, value: up },
    // never true: a value that nothing asks for would not be computed, and what fails would not be found
    misfit: `num_nulls(r.${quote(name)}) < 0`,
    roundTripLoss: 'false',
    intact: right,
    right,
    losesGoingBack: 'false',
    comparison: judgedWith(right),
  };
}
