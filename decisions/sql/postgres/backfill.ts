import type { Statement } from '../../../contracts/plan.ts';
import { isConverting, type Change, type Conversion } from './changes/change.ts';
import { literal, quote } from './identifier.ts';
import { actorSetting, setting, type Ours } from './ours.ts';
import { functionName, triggerName } from './trigger.ts';

/**
 * One chunk in one statement, so in one transaction and one round trip: it takes the progress row if this attempt still
 * holds the fence at the expected place, rewrites the rows that need it in a range of pages, and moves the watermark.
 * A superseded attempt finds no progress row and writes nothing.
 */
export function chunk(ours: Ours, changes: readonly Change[]): Statement {
  const converting = changes.filter(isConverting).map(({ conversion }) => conversion);
  const progress = `${quote(ours.homeSchema)}.progress`;
  return {
    id: 'chunk',
    note: '$1 deployment, $2 shard, $3 expected sequence, $4 fence, $5 next page, $6 next pass, $7 and $8 range of pages, $9 how many stripes, $10 which of them',
    sql: `WITH mine AS MATERIALIZED (
  SELECT 1 FROM ${progress} WHERE deployment = $1::text AND stage = 'backfill' AND shard = $2::int AND seq = $3::bigint AND fence = $4::bigint FOR NO KEY UPDATE
), changed AS (
  UPDATE ${quote(ours.schema)}.${quote(ours.table)}
  SET ${assignments(converting)}
  WHERE ctid >= $7::tid AND ctid < $8::tid AND EXISTS (SELECT FROM mine)
    AND CASE WHEN abs(${stripeKey(ours)} % $9::int) = $10::int THEN ${converting.map(({ missing }) => missing).join(' OR ')} ELSE false END
  RETURNING 1
)
UPDATE ${progress} AS p
SET seq = p.seq + 1, page = $5::bigint, pass = $6::int, rows = p.rows + (SELECT count(*) FROM changed), updated_at = clock_timestamp()
WHERE p.deployment = $1::text AND p.stage = 'backfill' AND p.shard = $2::int AND EXISTS (SELECT FROM mine)
RETURNING (SELECT count(*) FROM changed)::int AS rows, p.rows::float8 AS total, ${steering(ours)}`,
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
 * What the striped passes tell rows apart by, modulo a prime. Every pass rewrites a few rows of each page, pruning makes
 * room on the page before the next one, and the updates stay HOT: they touch no index. The `CASE` keeps PostgreSQL from
 * reading the last column of every row in every pass.
 */
function stripeKey({ key }: Ours): string {
  const [first] = key;
  if (first === undefined) return '0';
  if (key.length === 1 && ['smallint', 'integer', 'bigint'].includes(first.type)) return quote(first.name);
  return `hashtext(concat_ws(',', ${key.map(({ name }) => quote(name)).join(', ')}))`;
}

/** Settings of the backfill's session. Waits for a row lock end long before `deadlock_timeout`: we give way, always. */
export function backfillSession(ours: Ours): readonly Statement[] {
  const set = (id: string, value: string, note: string): Statement => ({ id, note, sql: `SET ${id} = ${value}` });
  return [
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

/** What a chunk's work rests on: the pages there are, the file they are in, and that our trigger is at its post. */
export function barrier(ours: Ours, oid: number, changes: readonly Change[]): Statement {
  const columns = changes
    .filter(isConverting)
    .map(
      ({ conversion: { column } }) =>
        `EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = ${literal(column)} AND NOT a.attisdropped)`,
    );
  return {
    id: 'barrier',
    note: 'pages, file and trigger',
    sql: `SELECT (pg_relation_size(c.oid) / current_setting('block_size')::int)::float8 AS pages, pg_relation_filenode(c.oid)::int8::text AS filenode,
  (EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = ${literal(triggerName(ours))} AND t.tgenabled = 'A' AND t.tgfoid = to_regprocedure(${literal(`${functionName(ours)}()`)}))
   AND ${['true', ...columns].join(' AND ')}) AS guarded
FROM pg_class c WHERE c.oid = ${oid} AND c.relname = ${literal(ours.table)}`,
  };
}

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
