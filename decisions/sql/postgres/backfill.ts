import type { Statement, VacuumRule } from '../../../contracts/plan.ts';
import { isConverting, type Change, type Conversion } from './changes/change.ts';
import { literal, quote } from './identifier.ts';
import { actorSetting, setting, tableOf, type Ours } from './ours.ts';

/**
 * One chunk in one statement, so in one transaction and one round trip: it takes the progress row if this attempt still
 * holds the fence at the expected place, rewrites the rows that need it in a range of pages, and moves the watermark.
 * A superseded attempt finds no progress row and writes nothing.
 *
 * What is missing is asked where the two meet and not beside the part: else PostgreSQL would take every row of a page
 * apart up to its last column, in every pass.
 */
export function chunk(ours: Ours, oid: number, changes: readonly Change[]): Statement {
  const converting = changes.filter(isConverting).map(({ conversion }) => conversion);
  const progress = `${quote(ours.homeSchema)}.progress`;
  const hot = `pg_stat_get_xact_tuples_hot_updated(${ours.leaves === null ? oid : '{oid}'})`;
  return {
    id: 'chunk',
    note: '$1 deployment, $2 shard, $3 expected sequence, $4 fence, $5 next page, $6 next pass, $7 and $8 range of pages; {part} which of their rows a pass takes',
    sql: `WITH mine AS MATERIALIZED (
  SELECT ${hot} AS lakeshift_hot FROM ${progress} WHERE deployment = $1::text AND stage = 'backfill' AND shard = $2::int AND seq = $3::bigint AND fence = $4::bigint FOR NO KEY UPDATE
), changed AS (
  UPDATE ONLY ${ours.leaves === null ? tableOf(ours) : '{heap}'}
  SET ${assignments(converting)}
  FROM mine
  WHERE ctid >= $7::tid AND ctid < $8::tid AND {part}
    AND CASE WHEN lakeshift_hot >= 0 THEN ${converting.map(({ missing }) => missing).join(' OR ')} END
  RETURNING 1
), counted AS (
  SELECT count(*) AS rows FROM changed
)
UPDATE ${progress} AS p
SET seq = p.seq + 1, page = $5::bigint, pass = $6::int, rows = p.rows + counted.rows, hot = p.hot + ${hot} - mine.lakeshift_hot, updated_at = clock_timestamp()
FROM counted, mine
WHERE p.deployment = $1::text AND p.stage = 'backfill' AND p.shard = $2::int
RETURNING counted.rows::int AS rows, (${hot} - mine.lakeshift_hot)::int AS hot, p.rows::float8 AS total, ${steering(ours)}`,
  };
}

/** What the `SET` of the backfill writes: with several changes, each column only where it needs it. */
function assignments(conversions: readonly Conversion[]): string {
  const single = conversions.length === 1;
  return conversions
    .map(({ column, value, missing }) => {
      const name = quote(column);
      return `${name} = ${single ? value : `CASE WHEN ${missing} THEN ${value} ELSE ${name} END`}`;
    })
    .join(',\n       ');
}

/** Pause and rate stand in the claim's row, where an order never meets the lock of a running chunk. */
const steering = ({ homeSchema }: Ours): string => {
  const one = (column: string): string =>
    `(SELECT c.${column} FROM ${quote(homeSchema)}.claims AS c WHERE c.deployment = $1::text) AS ${column}`;
  return `${one('paused')}, ${one('rate')}`;
};

/**
 * Which rows of a page each pass takes. Keys that count up spread most evenly; for all others the row's place does, which
 * stays as it is until the row is rewritten. It is asked of every row in every pass, so each word of it counts: bounds
 * are written out, and keys below zero all go with the first pass.
 */
export function partsOf({ key }: Ours, cuts: readonly number[]): readonly string[] {
  const [first] = key;
  const modulus = cuts.at(-1) ?? 1;
  const part =
    countsUp(key) && first !== undefined ? `${quote(first.name)} % ${modulus}` : `abs(hashtid(ctid) % ${modulus})`;
  return cuts.slice(1).map((to, pass) => {
    const from = cuts[pass] ?? 0;
    const bounds = [
      ...(pass === 0 ? [] : [`${part} >= ${from}`]),
      ...(pass === cuts.length - 2 ? [] : [`${part} < ${to}`]),
    ];
    return bounds.length === 0 ? 'true' : bounds.join(' AND ');
  });
}

/** Whether a key spreads the rows of a page evenly over the passes. */
export const countsUp = (key: Ours['key']): boolean =>
  key.length === 1 && ['smallint', 'integer', 'bigint'].includes(key[0]?.type ?? '');

/** What `lakeshift grants` offers, since PostgreSQL 15; without it, or without lz4 in the server, the log is as it was. */
const compressedLog: Statement = {
  id: 'wal_compression',
  note: 'smaller images of pages in the log, where our role may ask for it',
  sql: `DO $$ BEGIN
  IF current_setting('wal_compression') = 'off' THEN SET wal_compression = lz4; END IF;
EXCEPTION WHEN insufficient_privilege OR invalid_parameter_value THEN NULL;
END $$`,
};

/** Settings of the backfill's session. Waits for a row lock end long before `deadlock_timeout`: we give way, always. */
export function backfillSession(ours: Ours): readonly Statement[] {
  const set = (id: string, value: string, note: string): Statement => ({ id, note, sql: `SET ${id} = ${value}` });
  return [
    compressedLog,
    ...setting(ours, 'SET'),
    set('lock_timeout', `'50ms'`, 'give way to the application'),
    set('statement_timeout', `'20s'`, 'a chunk takes a fraction of a second'),
    set('synchronous_commit', 'off', 'the watermark commits with the rows: what a crash takes back is done again'),
    set(actorSetting, literal(ours.mark), 'our trigger skips these writes'),
    set('plan_cache_mode', 'force_generic_plan', 'plan once'),
    set('enable_seqscan', 'off', 'only the range of pages is read'),
    set('enable_indexscan', 'off', 'only the range of pages is read'),
    set('enable_bitmapscan', 'off', 'only the range of pages is read'),
    set('jit', 'off', 'chunks are short'),
  ];
}

/**
 * Our vacuum: the part that clears indexes, and nothing that would wait for a lock. It runs when rows have left their
 * pages up to a third of the room that a freshly built index keeps free: some of its pages get twice as many as others.
 */
export const vacuum = (ours: Ours): VacuumRule => {
  const set = (id: string, value: string, note: string): Statement => ({ id, note, sql: `SET ${id} = ${value}` });
  return {
    coldShare: 0.03,
    settings: [
      compressedLog,
      ...setting(ours, 'SET'),
      set('statement_timeout', '0', 'it takes as long as the indexes are large'),
    ],
    gently: set('vacuum_cost_delay', `'2ms'`, 'as slowly as autovacuum'),
    run: {
      id: 'vacuum',
      note: 'what our own updates left dead in the indexes',
      sql: `VACUUM (INDEX_CLEANUP ON, TRUNCATE OFF, SKIP_LOCKED, PARALLEL 0) ${ours.leaves === null ? tableOf(ours) : '{heap}'}`,
    },
  };
};

/**
 * Sessions of others that did something within the last two seconds; null when they can't be seen, which is not *nobody*:
 * of another role's session ours sees, without pg_read_all_stats, not even of what kind it is.
 */
export const presence: Statement = {
  id: 'presence',
  note: 'is an application there?',
  sql: `SELECT CASE WHEN busy > 0 OR unseen = 0 THEN busy END AS busy FROM (
  SELECT count(*) FILTER (WHERE state <> 'idle' OR state_change > clock_timestamp() - interval '2 seconds')::float8 AS busy, count(*) FILTER (WHERE state_change IS NULL) AS unseen
  FROM pg_stat_activity WHERE datname = current_database() AND coalesce(backend_type, 'client backend') = 'client backend' AND coalesce(application_name, '') NOT LIKE 'lakeshift %') AS s`,
};

/**
 * Who keeps row versions that died before transaction `$1` from being pruned: then the passes find no room on their
 * pages. `unseen`: sessions that our role may not look into.
 */
export const horizon: Statement = {
  id: 'horizon',
  note: '$1 a transaction id; what holds pruning back since then',
  sql: `WITH mark AS (SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS now, pg_snapshot_xmax(pg_current_snapshot())::text::numeric - $1::text::numeric AS age), holders AS (
  SELECT CASE WHEN backend_type = 'walsender' THEN 'replica ' || application_name ELSE 'a transaction of ' || coalesce(nullif(application_name, ''), backend_type) END AS who, greatest(age(backend_xmin), age(backend_xid)) AS age
  FROM pg_stat_activity WHERE (datname = current_database() OR datname IS NULL) AND coalesce(backend_xmin, backend_xid) IS NOT NULL AND pid <> pg_backend_pid() AND application_name NOT LIKE 'lakeshift %' AND (backend_type <> 'autovacuum worker' OR pid IN (SELECT pid FROM pg_stat_progress_analyze))
  UNION ALL SELECT 'replication slot ' || slot_name || CASE WHEN active THEN '' ELSE ', which nobody uses' END, age(xmin) FROM pg_replication_slots WHERE xmin IS NOT NULL
  UNION ALL SELECT 'a prepared transaction of ' || owner, age(transaction) FROM pg_prepared_xacts WHERE database = current_database())
SELECT mark.now, (SELECT h.who FROM holders h WHERE h.age > mark.age ORDER BY h.age DESC LIMIT 1) AS held_by,
  EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND backend_type IS NULL) AS unseen FROM mark`,
};
