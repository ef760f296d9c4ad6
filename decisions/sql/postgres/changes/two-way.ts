import { differ, isNull, isThere, same } from '../compare.ts';
import { literal, quote } from '../identifier.ts';
import { indent, writesOfOurs, type Ours } from '../ours.ts';
import { keyOf } from '../misfits.ts';
import type { Lead } from './change.ts';

/** Two columns that hold the same value in two shapes. */
export interface Pair {
  readonly old: { readonly name: string; readonly type: string };
  readonly fresh: { readonly name: string; readonly type: string };
  readonly oldNotNull: boolean;
  /** The old column's default where it is a plain constant. */
  readonly oldDefault: string | null;
  /** New value from the old one, cast. */
  readonly up: string;
  /** Old value from the new one, cast. */
  readonly down: string;
  /** True: a write whose new value the old shape can't hold is refused; otherwise it succeeds and is counted. */
  readonly refusesMisfits: boolean;
}

/** PL/pgSQL: keeps both columns of a written row true, in both directions; total, whatever the expressions do. */
export function twoWay(ours: Ours, pair: Pair, lead: Lead): string {
  const noFresh = isNull(pair.fresh.type, `NEW.${quote(pair.fresh.name)}`);
  const ahead = lead === 'old' ? 'up' : 'down';
  return [
    'DECLARE',
    '  lakeshift_go text := NULL;',
    '  lakeshift_fits boolean := true;',
    'BEGIN',
    `  IF TG_OP = 'INSERT' THEN`,
    `    IF ${noFresh} THEN lakeshift_go := 'up';`,
    `    ELSIF ${isNull(pair.old.type, `NEW.${quote(pair.old.name)}`)}${unsetOld(pair)} THEN lakeshift_go := 'down';`,
    `    ELSE lakeshift_go := '${ahead}, if they disagree';`,
    '    END IF;',
    ...byBackfill(ours, pair),
    `  ELSIF ${changed(pair.fresh)} THEN`,
    `    lakeshift_go := CASE WHEN ${changed(pair.old)} THEN '${ahead}, if they disagree' ELSE 'down' END;`,
    `  ELSIF ${changed(pair.old)} OR ${noFresh} THEN lakeshift_go := 'up';`,
    '  END IF;',
    indent(bothGiven(pair), 2),
    '  lakeshift_fits := true;',
    `  IF lakeshift_go = 'up' THEN`,
    indent(convert(pair, 'up'), 4),
    `  ELSIF lakeshift_go = 'down' THEN`,
    indent(convert(pair, 'down'), 4),
    indent(pair.refusesMisfits ? refuseMisfit(pair) : noteMisfit(ours, pair), 4),
    '  END IF;',
    ...(pair.oldNotNull ? [indent(keepNotNull(pair), 2)] : []),
    'END;',
  ].join('\n');
}

/** The backfill has converted the row before somebody else's trigger saw it: what that has changed is converted anew. */
const byBackfill = (ours: Ours, pair: Pair): readonly string[] =>
  ours.othersBefore === true
    ? [`  ELSIF ${writesOfOurs(ours, 1)} THEN`, `    IF ${changed(pair.old)} THEN lakeshift_go := 'up'; END IF;`]
    : [];

const changed = ({ name, type }: Pair['old']): string => differ(type, `NEW.${quote(name)}`, `OLD.${quote(name)}`);

/** An old column with a constant default is not *given* when an insert that names the new one leaves it at that. */
const unsetOld = ({ old, oldDefault }: Pair): string =>
  oldDefault === null ? '' : ` OR ${same(old.type, `NEW.${quote(old.name)}`, `(${oldDefault})::${old.type}`)}`;

/** A write that sets both and agrees in either direction is left as it is. */
const bothGiven = (pair: Pair): string =>
  [
    `IF lakeshift_go LIKE '%, if they disagree' THEN`,
    '  DECLARE',
    `    lakeshift_up ${pair.fresh.type};`,
    `    lakeshift_down ${pair.old.type};`,
    '  BEGIN',
    indent(compute(pair, 'up', 'lakeshift_up'), 4),
    indent(compute(pair, 'down', 'lakeshift_down'), 4),
    `    lakeshift_go := CASE WHEN ${same(pair.fresh.type, `NEW.${quote(pair.fresh.name)}`, 'lakeshift_up')} OR ${same(pair.old.type, `NEW.${quote(pair.old.name)}`, 'lakeshift_down')}`,
    `      THEN NULL ELSE split_part(lakeshift_go, ',', 1) END;`,
    '  END;',
    'END IF;',
  ].join('\n');

const convert = (pair: Pair, direction: 'up' | 'down'): string => {
  const { name, type } = direction === 'up' ? pair.fresh : pair.old;
  return [
    `DECLARE lakeshift_value ${type}; BEGIN`,
    indent(compute(pair, direction, 'lakeshift_value'), 2),
    `  NEW.${quote(name)} := lakeshift_value;`,
    'END;',
  ].join('\n');
};

/**
 * Evaluates one direction into a variable; what can't be converted gives NULL and clears `lakeshift_fits`. The
 * expression sees its input as a variable of the column's name, which is quicker than a query over the row.
 */
function compute(pair: Pair, direction: 'up' | 'down', into: string): string {
  const [input, output] = direction === 'up' ? [pair.old, pair.fresh] : [pair.fresh, pair.old];
  return [
    `DECLARE lakeshift_in ${input.type} := NEW.${quote(input.name)}; lakeshift_out ${output.type};`,
    'BEGIN',
    `  DECLARE ${quote(input.name)} ${input.type} := lakeshift_in;`,
    '  BEGIN',
    `    lakeshift_out := ${direction === 'up' ? pair.up : pair.down};`,
    '  EXCEPTION WHEN OTHERS THEN',
    '    lakeshift_out := NULL; lakeshift_fits := false;',
    '  END;',
    `  ${into} := lakeshift_out;`,
    'END;',
  ].join('\n');
}

const misfits = ({ fresh }: Pair): string =>
  `NOT lakeshift_fits OR ${differ(fresh.type, 'lakeshift_back', `NEW.${quote(fresh.name)}`)}`;

/** Remembers the key of a row whose new value the old shape can't hold, or would give back as another one. */
function noteMisfit(ours: Ours, pair: Pair): string {
  return [
    `DECLARE lakeshift_back ${pair.fresh.type};`,
    'BEGIN',
    indent(compute(pair, 'up', 'lakeshift_back'), 2),
    `  IF ${misfits(pair)} THEN`,
    `    INSERT INTO ${quote(ours.homeSchema)}.misfits (mark, key) VALUES (${literal(ours.mark)}, ${keyOf(ours, 'NEW.')}) ON CONFLICT DO NOTHING;`,
    `  ELSIF TG_OP = 'UPDATE' AND ${isNull(pair.old.type, `OLD.${quote(pair.old.name)}`)} AND ${isThere(pair.fresh.type, `OLD.${quote(pair.fresh.name)}`)} THEN`,
    `    DELETE FROM ${quote(ours.homeSchema)}.misfits WHERE mark = ${literal(ours.mark)} AND key = ${keyOf(ours, 'NEW.')};`,
    '  END IF;',
    'EXCEPTION WHEN OTHERS THEN NULL; -- the application never pays for our bookkeeping; the row check counts it too',
    'END;',
  ].join('\n');
}

/** The spec has asked to keep the way back lossless at the application's cost: the write fails, as agreed. */
const refuseMisfit = (pair: Pair): string =>
  [
    `DECLARE lakeshift_back ${pair.fresh.type};`,
    'BEGIN',
    indent(compute(pair, 'up', 'lakeshift_back'), 2),
    `  IF ${misfits(pair)} THEN`,
    `    RAISE check_violation USING MESSAGE = ${literal(`the value does not fit into column ${pair.old.name}, which is kept until the contract`)}, COLUMN = ${literal(pair.fresh.name)}, TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA;`,
    '  END IF;',
    'END;',
  ].join('\n');

/** The old column's NOT NULL is lifted for what does not fit; for everything else it holds on. */
const keepNotNull = ({ old, fresh }: Pair): string =>
  [
    `IF ${isNull(old.type, `NEW.${quote(old.name)}`)} AND ${isNull(fresh.type, `NEW.${quote(fresh.name)}`)} THEN`,
    `  RAISE not_null_violation USING MESSAGE = 'null value in a column violates its not-null constraint', COLUMN = ${literal(old.name)}, TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA;`,
    'END IF;',
  ].join('\n');
