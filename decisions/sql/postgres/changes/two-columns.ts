import type { ColumnFacts } from '../../../../contracts/facts.ts';
import type { ChangeTypeSpec } from '../../../../contracts/spec.ts';
import { differ, isNull, isThere, same } from '../compare.ts';
import { parseName, quote } from '../identifier.ts';
import type { Change, Replacement, RowRules } from './change.ts';
import type { Pair } from './two-way.ts';

/** From a value that is there a conversion rarely makes NULL: then asking first costs more than writing in vain. */
export function missing({ fresh, oldNotNull, up }: Pair): string {
  const empty = isNull(fresh.type, quote(fresh.name));
  return oldNotNull ? empty : `(${empty} AND ${isThere(fresh.type, up)})`;
}

/** How each row of two columns that hold the same value is judged; `filled`: where the old one has a value, both must. */
export function rowRules(pair: Pair, filled: boolean): RowRules {
  const fresh = `r.${quote(pair.fresh.name)}`;
  const old = `r.${quote(pair.old.name)}`;
  const row = 'FROM (SELECT (lakeshift_row).*) AS r';
  const up = ofRow(pair.up, pair.reads.up, pair.old.name);
  const down = ofRow(pair.down, pair.reads.down, pair.fresh.name);
  const there = isThere(pair.fresh.type, fresh);
  const isUp = same(pair.fresh.type, fresh, up);
  const isDown = same(pair.old.type, old, down);
  // both may be empty for as long as our trigger refuses that; a row that was written without it may be, and is wrong
  const mayBeEmpty = !pair.oldNotNull;
  const hasValue = isThere(pair.old.type, old);
  const isUpWithValue = mayBeEmpty ? isUp : `${hasValue} AND ${isUp}`;
  return {
    converted: { column: pair.fresh.name, value: pair.up },
    misfit: filled ? `(NOT ${there} AND ${isThere(pair.old.type, old)})` : 'false',
    roundTripLoss: differ(pair.old.type, down, old),
    intact: `(${isUpWithValue})`,
    right: `((${isUpWithValue}) OR (${there} AND ${isDown}))`,
    losesGoingBack: `(${there} AND ${differ(pair.fresh.type, fresh, up)})`,
    // lossy: right, or held by the new shape alone because the old one can't hold it
    comparison: [
      `  BEGIN SELECT ${isUpWithValue} INTO lakeshift_up ${row}; EXCEPTION WHEN OTHERS THEN lakeshift_up := false; END;`,
      `  IF lakeshift_up THEN RETURN 'right'; END IF;`,
      `  BEGIN SELECT ${there} AND ${isDown} INTO lakeshift_down ${row};`,
      `  EXCEPTION WHEN OTHERS THEN SELECT ${there} AND ${isNull(pair.old.type, old)} INTO lakeshift_down ${row}; END;`,
      `  RETURN CASE WHEN lakeshift_down THEN 'lossy' ELSE 'wrong' END;`,
    ],
  };
}

/** An expression over a row `r` whose column is not called as the expression knows it. */
const ofRow = (expression: string, reads: string, column: string): string =>
  reads === column
    ? expression
    : `(SELECT ${expression} FROM (SELECT r.${quote(column)} AS ${quote(reads)}) AS lakeshift_in)`;

/** True when an expression is its column, at most cast: absent, `amount` or `amount::bigint`. */
export function isColumn(expression: string | undefined, column: string): boolean {
  if (expression === undefined) return true;
  const [name = '', ...casts] = expression.split('::');
  return parseName(name) === column && casts.every((type) => /^[\w\s"(),.[\]]+$/.test(type));
}

/** What takes whose place, of two columns that hold the same value. */
export const replacement = (
  kind: Replacement['kind'],
  spec: Pick<ChangeTypeSpec, 'up' | 'leaveBehind'>,
  old: ColumnFacts,
  pair: Pair,
): Replacement => ({
  kind,
  old,
  fresh: pair.fresh,
  oldName: pair.old.name,
  up: pair.up,
  keepsValue: isColumn(spec.up, old.name),
  alwaysFits: pair.lossless || (isColumn(spec.up, old.name) && alwaysFits(old.type, pair.fresh.type)),
  refusesMisfits: pair.lossless || pair.refusesMisfits,
  leaveBehind: spec.leaveBehind ?? [],
});

/** True when the spec leaves something behind by this name. */
export const leaves = ({ leaveBehind = [] }: Pick<ChangeTypeSpec, 'leaveBehind'>, name: string): boolean =>
  leaveBehind.includes(name);

/** The default that the trigger gives meanwhile. */
export const suspends = ({ old, suspendedDefault }: Pair): Change['suspends'] =>
  suspendedDefault === null ? null : { column: old.name, default: suspendedDefault };

/** A default that has to be computed anew for each row. */
export const computedDefault = ({ constantDefault, defaultSql = null }: ColumnFacts): string | null =>
  constantDefault === null ? defaultSql : null;

/** Whether each value of a type is there in another one too, so that no conversion fails. */
export function alwaysFits(from: string, to: string): boolean {
  const rank = (type: string): number => numbers.findIndex((names) => names.includes(type.toLowerCase()));
  if (/^(?:character varying|varchar)\b/i.test(from)) return /^(?:text|character varying|varchar)$/i.test(to);
  return rank(from) >= 0 && rank(from) <= rank(to);
}

const numbers: readonly (readonly string[])[] = [
  ['smallint', 'int2'],
  ['integer', 'int', 'int4'],
  ['bigint', 'int8'],
  ['numeric', 'decimal'],
];
