import type { KeySlices, PageSlices, RowCheck, Statement } from '../../../contracts/plan.ts';
import { convertingChanges, type Change, type ConvertingChange } from './change.ts';
import { quote } from './identifier.ts';
import type { Ours } from './trigger.ts';

const tryFunction = 'pg_temp.lakeshift_try';

/** Every row through `up` and `down`, before anything is touched, by page ranges. `lossy`: down(up(old)) is not old. */
export function conversionCheck(ours: Ours, changes: readonly Change[]): RowCheck | null {
  const converting = convertingChanges(changes);
  if (converting.length === 0) return null;
  const table = tableOf(ours);
  const converted = `(SELECT t.*, ${converting.map((change) => `${change.up} AS ${quote(change.name)}`).join(', ')} FROM ${table} AS t WHERE t.ctid >= $1::tid AND t.ctid < $2::tid)`;
  const trials = converting.map((change) => trial(ours, change));
  return {
    prepare: trials.map(({ make }) => make),
    fast: counts(
      'fast',
      `false AS wrong, (${converting.map(roundTripLoss).join(' OR ')}) AS lossy, ${keyText(ours)} AS key`,
      `${converted} AS r`,
    ),
    slow: counts(
      'slow',
      verdictsOf(trials, keyText(ours)),
      `${table} AS r WHERE r.ctid >= $1::tid AND r.ctid < $2::tid`,
    ),
    slices: pageSlices(ours),
  };
}

/**
 * Compares both shapes of every row, by ranges of the key from its end: neither the ranges nor the code of the copy.
 * A row is wrong unless new = up(old), or new is there and old = down(new).
 */
export function equalityCheck(ours: Ours, changes: readonly Change[]): RowCheck | null {
  const converting = convertingChanges(changes);
  if (converting.length === 0) return null;
  const fast = `NOT (${converting.map(isRight).join(' AND ')}) AS wrong, (${converting.map(losesGoingBack).join(' OR ')}) AS lossy, ${keyText(ours)} AS key`;
  const comparisons = converting.map((change) => comparison(ours, change));
  const slow = verdictsOf(comparisons, keyText(ours));
  const from = `${tableOf(ours)} AS r`;
  const prepare = comparisons.map(({ make }) => make);
  if (ours.key.length === 0) {
    const range = `${from} WHERE r.ctid >= $1::tid AND r.ctid < $2::tid`;
    return { prepare, fast: counts('fast', fast, range), slow: counts('slow', slow, range), slices: pageSlices(ours) };
  }
  const { slices, between, rest } = keySlices(ours, (id, where) =>
    counts(id, id.startsWith('fast') ? fast : slow, `${from} ${where}`),
  );
  return { prepare, ...between, slices: { ...slices, ...rest } };
}

const tableOf = ({ schema, table }: Ours): string => `${quote(schema)}.${quote(table)}`;
const keyText = ({ key }: Ours): string =>
  key.length === 0 ? 'r.ctid::text' : `concat_ws(',', ${key.map(({ name }) => `r.${quote(name)}`).join(', ')})`;

const counts = (id: string, verdicts: string, from: string): Statement => ({
  id,
  note: 'how many rows were seen, are wrong, would lose something on the way back; keys of wrong ones',
  sql: `SELECT count(*) AS seen, count(*) FILTER (WHERE wrong) AS wrong, count(*) FILTER (WHERE lossy) AS lossy,
  to_jsonb(coalesce((array_agg(key) FILTER (WHERE wrong))[1:20], '{}')) AS keys FROM (SELECT ${verdicts} FROM ${from}) AS c`,
});

const roundTripLoss = (change: ConvertingChange): string =>
  change.kind === 'add' ? 'false' : `${change.down} IS DISTINCT FROM r.${quote(change.old)}`;

const isRight = (change: ConvertingChange): string => {
  const fresh = `r.${quote(change.name)}`;
  if (change.kind === 'add') return `(${fresh} IS NOT NULL OR ${change.up} IS NULL)`;
  return `(${fresh} IS NOT DISTINCT FROM ${change.up} OR (${fresh} IS NOT NULL AND r.${quote(change.old)} IS NOT DISTINCT FROM ${change.down}))`;
};

const losesGoingBack = (change: ConvertingChange): string =>
  change.kind === 'add'
    ? 'false'
    : `(r.${quote(change.name)} IS NOT NULL AND r.${quote(change.name)} IS DISTINCT FROM ${change.up})`;

interface Trial {
  readonly make: Statement;
  readonly call: string;
}

const verdictsOf = (trials: readonly Trial[], key: string): string =>
  `'wrong' IN (${trials.map(({ call }) => call).join(', ')}) AS wrong, 'lossy' IN (${trials.map(({ call }) => call).join(', ')}) AS lossy, ${key} AS key`;

/** A function in the session's temporary schema that answers for one row where a plain statement would fail as a whole. */
const total = (ours: Ours, change: ConvertingChange, body: readonly string[]): Trial => ({
  call: `${tryFunction}_${change.index}(r)`,
  make: {
    id: `try:${change.index}`,
    note: 'temporary; ends with the session',
    sql: [
      `CREATE OR REPLACE FUNCTION ${tryFunction}_${change.index}(lakeshift_row ${tableOf(ours)}) RETURNS text LANGUAGE plpgsql AS $lakeshift$`,
      'DECLARE lakeshift_up boolean; lakeshift_down boolean;',
      'BEGIN',
      ...body,
      'END $lakeshift$',
    ].join('\n'),
  },
});

/** `wrong`: up or down fails on this row. */
const trial = (ours: Ours, change: ConvertingChange): Trial => {
  const converted = `(SELECT (lakeshift_row).*, ${change.up} AS ${quote(change.name)} FROM (SELECT (lakeshift_row).*) AS i) AS r`;
  return total(ours, change, [
    `  SELECT ${roundTripLoss(change)} INTO lakeshift_down FROM ${converted};`,
    `  RETURN CASE WHEN lakeshift_down THEN 'lossy' ELSE 'right' END;`,
    `EXCEPTION WHEN OTHERS THEN RETURN 'wrong';`,
  ]);
};

/** `lossy`: right, or held by the new shape alone because the old one can't hold it. */
const comparison = (ours: Ours, change: ConvertingChange): Trial => {
  const fresh = `r.${quote(change.name)}`;
  const row = 'FROM (SELECT (lakeshift_row).*) AS r';
  if (change.kind === 'add') {
    return total(ours, change, [
      `  SELECT ${isRight(change)} INTO lakeshift_up ${row};`,
      `  RETURN CASE WHEN lakeshift_up THEN 'right' ELSE 'wrong' END;`,
      `EXCEPTION WHEN OTHERS THEN RETURN 'wrong';`,
    ]);
  }
  const old = `r.${quote(change.old)}`;
  return total(ours, change, [
    `  BEGIN SELECT ${fresh} IS NOT DISTINCT FROM ${change.up} INTO lakeshift_up ${row}; EXCEPTION WHEN OTHERS THEN lakeshift_up := false; END;`,
    `  IF lakeshift_up THEN RETURN 'right'; END IF;`,
    `  BEGIN SELECT ${fresh} IS NOT NULL AND ${old} IS NOT DISTINCT FROM ${change.down} INTO lakeshift_down ${row};`,
    `  EXCEPTION WHEN OTHERS THEN SELECT ${fresh} IS NOT NULL AND ${old} IS NULL INTO lakeshift_down ${row}; END;`,
    `  RETURN CASE WHEN lakeshift_down THEN 'lossy' ELSE 'wrong' END;`,
  ]);
};

const pageSlices = (ours: Ours): PageSlices => ({
  by: 'pages',
  pages: 2_048,
  size: {
    id: 'size',
    note: 'pages of the table now',
    sql: `SELECT (pg_relation_size('${tableOf(ours).replaceAll("'", "''")}'::regclass) / current_setting('block_size')::int)::float8 AS pages`,
  },
});

function keySlices(ours: Ours, count: (id: string, where: string) => Statement) {
  const { key } = ours;
  const names = `(${key.map(({ name }) => `r.${quote(name)}`).join(', ')})`;
  const bound = (first: number): string => `(${key.map(({ type }, i) => `$${first + i}::${type}`).join(', ')})`;
  const backwards = key.map(({ name }) => `r.${quote(name)} DESC`).join(', ');
  const asText = key.map(({ name }, i) => `r.${quote(name)}::text AS k${i}`).join(', ');
  const below = `WHERE ${names} <= ${bound(1)}`;
  const within = `${below} AND ${names} > ${bound(1 + key.length)}`;
  const pick = `SELECT ${asText} FROM ${tableOf(ours)} AS r`;
  const slices: Omit<KeySlices, 'fastRest' | 'slowRest'> = {
    by: 'keys',
    rows: 50_000,
    key,
    last: { id: 'last', note: 'the last key', sql: `${pick} ORDER BY ${backwards} LIMIT 1` },
    next: {
      id: 'next',
      note: 'the key below the next slice',
      sql: `${pick} ${below} ORDER BY ${backwards} OFFSET $${1 + key.length} LIMIT 1`,
    },
  };
  return {
    slices,
    between: { fast: count('fast', within), slow: count('slow', within) },
    rest: { fastRest: count('fastRest', below), slowRest: count('slowRest', below) },
  };
}
