import type { ColumnFacts } from '../../../../contracts/facts.ts';
import type { Finding } from '../../../../contracts/plan.ts';
import type { ChangeTypeSpec } from '../../../../contracts/spec.ts';
import { differ, isNull, isThere, same } from '../compare.ts';
import { parseColumn, parseName, quote } from '../identifier.ts';
import { cast, plain, type ReadChange, type RowRules } from './change.ts';
import { twoWay, type Pair } from './two-way.ts';

/** A column's value in another type, in a column of another name; both are kept true until the contract. */
export const changeType: ReadChange<ChangeTypeSpec> = (spec, index, columns) => {
  const fresh = parseColumn(spec.to);
  const old = columns.find(({ name }) => name === parseName(spec.type));
  if (fresh === null || old === undefined) return null;
  const pair: Pair = {
    old: { name: old.name, type: old.type },
    fresh,
    oldNotNull: old.notNull,
    oldDefault: old.constantDefault,
    up: cast(spec.up, fresh.type),
    down: cast(spec.down, old.type),
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
    expressions: [
      { field: 'up', type: fresh.type, sql: pair.up, reads: old.name },
      { field: 'down', type: old.type, sql: pair.down, reads: fresh.name },
    ],
    conversion: { column: fresh.name, value: pair.up, missing: missing(pair) },
    sync: (ours, lead) => twoWay(ours, pair, lead),
    rows: rowRules(pair),
    findings: findings(old, fresh.name),
  };
};

/** From a value that is there a conversion rarely makes NULL: then asking first costs more than writing in vain. */
function missing({ fresh, oldNotNull, up }: Pair): string {
  const empty = isNull(fresh.type, quote(fresh.name));
  return oldNotNull ? empty : `(${empty} AND ${isThere(fresh.type, up)})`;
}

function rowRules(pair: Pair): RowRules {
  const fresh = `r.${quote(pair.fresh.name)}`;
  const old = `r.${quote(pair.old.name)}`;
  const row = 'FROM (SELECT (lakeshift_row).*) AS r';
  const filled = isThere(pair.fresh.type, fresh);
  const isUp = same(pair.fresh.type, fresh, pair.up);
  const isDown = same(pair.old.type, old, pair.down);
  return {
    converted: { column: pair.fresh.name, value: pair.up },
    misfit: 'false',
    roundTripLoss: differ(pair.old.type, pair.down, old),
    right: `(${isUp} OR (${filled} AND ${isDown}))`,
    losesGoingBack: `(${filled} AND ${differ(pair.fresh.type, fresh, pair.up)})`,
    // lossy: right, or held by the new shape alone because the old one can't hold it
    comparison: [
      `  BEGIN SELECT ${isUp} INTO lakeshift_up ${row}; EXCEPTION WHEN OTHERS THEN lakeshift_up := false; END;`,
      `  IF lakeshift_up THEN RETURN 'right'; END IF;`,
      `  BEGIN SELECT ${filled} AND ${isDown} INTO lakeshift_down ${row};`,
      `  EXCEPTION WHEN OTHERS THEN SELECT ${filled} AND ${isNull(pair.old.type, old)} INTO lakeshift_down ${row}; END;`,
      `  RETURN CASE WHEN lakeshift_down THEN 'lossy' ELSE 'wrong' END;`,
    ],
  };
}

const findings = (old: ColumnFacts, fresh: string): readonly Finding[] =>
  old.notNull
    ? [
        {
          code: 'NOT_NULL_STAYS_BEHIND',
          level: 'noted',
          detail: `${old.name} is NOT NULL; ${fresh} stays nullable after the contract`,
        },
      ]
    : [];
