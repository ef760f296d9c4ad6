import type { KeySlices, PageSlices, RowCheck, Statement } from '../../../contracts/plan.ts';
import { isJudged, type Change, type RowRules } from './changes/change.ts';
import { dollarQuoted, literal, quote } from './identifier.ts';
import { setting, tableOf, type Ours } from './ours.ts';

const tryFunction = 'pg_temp.lakeshift_try';

/** A change whose rows are judged. */
type Judged = Change & { readonly rows: RowRules };

/** Every row through `up` and `down`, before anything is touched, by page ranges. `lossy`: down(up(old)) is not old. */
export function conversionCheck(ours: Ours, changes: readonly Change[]): RowCheck | null {
  const judged = changes.filter(isJudged);
  if (judged.length === 0) return null;
  const table = tableOf(ours);
  const wrong = judged.map(({ rows }) => rows.misfit).join(' OR ');
  const lossy = judged.map(({ rows }) => rows.roundTripLoss).join(' OR ');
  // without a key a row is told by its place, which a subquery hides unless it is asked for
  const place = ours.key.length === 0 ? ['t.tableoid', 't.ctid'] : [];
  const fresh = [...place, 't.*', ...judged.flatMap(({ rows }) => convertedColumn(rows))];
  const converted = `(SELECT ${fresh.join(', ')} FROM ${table} AS t WHERE t.ctid >= $1::tid AND t.ctid < $2::tid)`;
  const trials = judged.map((change) => trial(ours, change));
  return {
    session: setting(ours, 'SET'),
    prepare: trials.map(({ make }) => make),
    fast: counts('fast', `(${wrong}) AS wrong, (${lossy}) AS lossy, ${keyText(ours)} AS key`, `${converted} AS r`),
    slow: counts(
      'slow',
      verdictsOf(trials, keyText(ours)),
      `${table} AS r WHERE r.ctid >= $1::tid AND r.ctid < $2::tid`,
    ),
    slices: pageSlices(ours),
  };
}

const convertedColumn = ({ converted }: RowRules): readonly string[] =>
  converted === null ? [] : [`${converted.value} AS ${quote(converted.column)}`];

/**
 * Compares both shapes of every row, by ranges of the key from its end: neither the ranges nor the code of the copy.
 * Of two shapes a row is wrong unless new = up(old), or new is there and old = down(new).
 */
export function equalityCheck(ours: Ours, changes: readonly Change[]): RowCheck | null {
  const judged = changes.filter(isJudged);
  if (judged.length === 0) return null;
  const right = judged.map(({ rows }) => rows.right).join(' AND ');
  const lossy = judged.map(({ rows }) => rows.losesGoingBack).join(' OR ');
  const fast = `NOT (${right}) AS wrong, (${lossy}) AS lossy, ${keyText(ours)} AS key`;
  const comparisons = judged.map((change) => total(ours, change, change.rows.comparison));
  const slow = verdictsOf(comparisons, keyText(ours));
  const glance = judged.map(({ rows }) => rows.intact).join(' AND ');
  const from = `${tableOf(ours)} AS r`;
  const common = { session: setting(ours, 'SET'), prepare: comparisons.map(({ make }) => make) };
  if (ours.key.length === 0) {
    const range = `${from} WHERE r.ctid >= $1::tid AND r.ctid < $2::tid`;
    return {
      ...common,
      glance: countsIntact('glance', glance, range),
      fast: counts('fast', fast, range),
      slow: counts('slow', slow, range),
      slices: pageSlices(ours),
    };
  }
  const { slices, below, within } = keySlices(ours);
  const looks = (where: string, suffix = '') => ({
    glance: countsIntact(`glance${suffix}`, glance, `${from} ${where}`),
    fast: counts(`fast${suffix}`, fast, `${from} ${where}`),
    slow: counts(`slow${suffix}`, slow, `${from} ${where}`),
  });
  const rest = looks(below, 'Rest');
  return {
    ...common,
    ...looks(within),
    slices: { ...slices, glanceRest: rest.glance, fastRest: rest.fast, slowRest: rest.slow },
  };
}

const countsIntact = (id: string, intact: string, from: string): Statement => ({
  id,
  note: 'how many rows were seen; how many of them are right and would lose nothing',
  sql: `SELECT count(*) AS seen, count(*) FILTER (WHERE ${intact}) AS intact FROM ${from}`,
});

const placeOf = (leaves: number | null): string =>
  leaves === null ? 'r.ctid::text' : `concat_ws(' ', r.tableoid::regclass, r.ctid)`;
const keyText = ({ key, leaves }: Ours): string =>
  key.length === 0 ? placeOf(leaves) : `concat_ws(',', ${key.map(({ name }) => `r.${quote(name)}`).join(', ')})`;

const counts = (id: string, verdicts: string, from: string): Statement => ({
  id,
  note: 'how many rows were seen, are wrong, would lose something on the way back; keys of wrong ones',
  sql: `SELECT count(*) AS seen, count(*) FILTER (WHERE wrong) AS wrong, count(*) FILTER (WHERE lossy) AS lossy,
  to_jsonb(coalesce((array_agg(key) FILTER (WHERE wrong))[1:20], '{}')) AS keys FROM (SELECT ${verdicts} FROM ${from}) AS c`,
});

interface Trial {
  readonly make: Statement;
  readonly call: string;
}

const verdictsOf = (trials: readonly Trial[], key: string): string =>
  `'wrong' IN (${trials.map(({ call }) => call).join(', ')}) AS wrong, 'lossy' IN (${trials.map(({ call }) => call).join(', ')}) AS lossy, ${key} AS key`;

/** A function in the session's temporary schema that answers for one row where a plain statement would fail as a whole. */
const total = (ours: Ours, change: Change, body: readonly string[]): Trial => ({
  call: `${tryFunction}_${change.index}(r)`,
  make: {
    id: `try:${change.index}`,
    note: 'temporary; ends with the session',
    sql:
      `CREATE OR REPLACE FUNCTION ${tryFunction}_${change.index}(lakeshift_row ${tableOf(ours)}) RETURNS text LANGUAGE plpgsql AS ` +
      dollarQuoted(
        [
          '',
          '#variable_conflict use_column',
          'DECLARE lakeshift_up boolean; lakeshift_down boolean;',
          'BEGIN',
          ...body,
          'END ',
        ].join('\n'),
      ),
  },
});

/** `wrong`: up or down fails on this row. */
const trial = (ours: Ours, change: Judged): Trial => {
  const { rows } = change;
  const row = `(SELECT ${['(lakeshift_row).*', ...convertedColumn(rows)].join(', ')} FROM (SELECT (lakeshift_row).*) AS i) AS r`;
  return total(ours, change, [
    `  SELECT ${rows.misfit}, ${rows.roundTripLoss} INTO lakeshift_up, lakeshift_down FROM ${row};`,
    `  RETURN CASE WHEN lakeshift_up THEN 'wrong' WHEN lakeshift_down THEN 'lossy' ELSE 'right' END;`,
    `EXCEPTION WHEN OTHERS THEN RETURN 'wrong';`,
  ]);
};

/** Of a partitioned table, a slice is the same range of pages of all its leaves. */
const pageSlices = (ours: Ours): PageSlices => {
  const table = literal(tableOf(ours));
  const inPages = (bytes: string): string => `(${bytes} / current_setting('block_size')::int)::float8 AS pages`;
  return {
    by: 'pages',
    pages: Math.max(32, Math.floor(2_048 / Math.max(1, ours.leaves ?? 1))),
    size: {
      id: 'size',
      note: ours.leaves === null ? 'pages of the table now' : 'pages of the largest partition now',
      sql:
        ours.leaves === null
          ? `SELECT ${inPages(`pg_relation_size(${table}::regclass)`)}`
          : `SELECT ${inPages('coalesce(max(pg_relation_size(relid)), 0)')} FROM pg_partition_tree(${table}) WHERE isleaf`,
    },
  };
};

interface KeyRanges {
  readonly slices: Omit<KeySlices, 'glanceRest' | 'fastRest' | 'slowRest'>;
  /** From a key downwards, and down to another one. */
  readonly below: string;
  readonly within: string;
}

function keySlices(ours: Ours): KeyRanges {
  const { key } = ours;
  const names = `(${key.map(({ name }) => `r.${quote(name)}`).join(', ')})`;
  const bound = (first: number): string => `(${key.map(({ type }, i) => `$${first + i}::${type}`).join(', ')})`;
  const backwards = key.map(({ name }) => `r.${quote(name)} DESC`).join(', ');
  const asText = key.map(({ name }, i) => `r.${quote(name)}::text AS k${i}`).join(', ');
  const below = `WHERE ${names} <= ${bound(1)}`;
  const within = `${below} AND ${names} > ${bound(1 + key.length)}`;
  const pick = `SELECT ${asText} FROM ${tableOf(ours)} AS r`;
  const slices: KeyRanges['slices'] = {
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
  return { slices, below, within };
}
