import type { Statement } from '../../../contracts/plan.ts';
import type { Protection } from '../../../contracts/protection.ts';
import { quote } from './identifier.ts';
import { setting, type Ours } from './ours.ts';

/** What a backfill looks at each second, besides who is at work. Each answers one row; NULL: our role can't see it. */
export const signals = (ours: Ours, serverVersion: number): readonly Statement[] => [
  lag,
  waiting,
  checkpoint(serverVersion),
  archive,
  counters,
  {
    id: 'commitMs',
    note: '$1 deployment; how long it takes is the signal: it waits for the disk, and for a synchronous standby',
    sql: `UPDATE ${quote(ours.homeSchema)}.claims SET rate = rate WHERE deployment = $1`,
  },
];

/** Subscribers of logical replication report what they have confirmed, which says little: only standbys count. */
const lag: Statement = {
  id: 'lag',
  note: 'how far standbys are behind; without the rights of pg_read_all_stats they are unseen',
  sql: `SELECT count(*) FILTER (WHERE state IS NULL)::float8 AS unseen, max(extract(epoch FROM replay_lag))::float8 AS seconds,
  coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)), 0)::float8 AS bytes
FROM pg_stat_replication AS r WHERE state IS DISTINCT FROM 'backup' AND NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')`,
};

const waiting: Statement = {
  id: 'waiting',
  note: 'sessions of others in this database that wait for a lock of ours',
  sql: `SELECT count(DISTINCT w.pid)::float8 AS waiting FROM pg_locks w JOIN pg_stat_activity s ON s.pid = w.pid
WHERE NOT w.granted AND s.datname = current_database() AND coalesce(s.application_name, '') NOT LIKE 'lakeshift %' AND EXISTS (SELECT FROM pg_stat_activity a WHERE a.application_name LIKE 'lakeshift %' AND a.pid <> w.pid AND a.pid = ANY (pg_blocking_pids(w.pid)))`,
};

/** The wait event tells it all to whoever may see it; the counters, which everybody sees, move while one is running. */
function checkpoint(serverVersion: number): Statement {
  const [begun, written, view] =
    serverVersion >= 170_000
      ? ['num_timed + num_requested', 'buffers_written', 'pg_stat_checkpointer']
      : ['checkpoints_timed + checkpoints_req', 'buffers_checkpoint', 'pg_stat_bgwriter'];
  return {
    id: 'checkpoint',
    note: 'is a checkpoint running?',
    sql: `SELECT (SELECT CASE WHEN a.wait_event_type = 'Activity' THEN 'idle' WHEN a.wait_event = 'CheckpointWriteDelay' THEN 'spread' ELSE 'hurried' END
  FROM pg_stat_activity a WHERE a.backend_type = 'checkpointer') AS doing, (${begun})::float8 AS begun, ${written}::float8 AS written, (SELECT redo_lsn::text FROM pg_control_checkpoint()) AS redo
FROM ${view}`,
  };
}

const archive: Statement = {
  id: 'archiveFails',
  note: 'does archiving the log fail?',
  sql: `SELECT (failed_count > 0 AND last_failed_time > coalesce(last_archived_time, '-infinity')) AS failing FROM pg_stat_archiver`,
};

const counters: Statement = {
  id: 'counters',
  note: 'deadlocks in the whole database, whoever was in them',
  sql: `SELECT deadlocks::float8 AS deadlocks FROM pg_stat_database WHERE datname = current_database()`,
};

type ProbeStatements = Extract<Protection['by'], { kind: 'probe' }>;

/** Rows of the table by key, and one of them: what the probe asks again and again, as an application would. */
export function probeStatements(ours: Ours, oid: number): Omit<ProbeStatements, 'kind'> {
  const table = `${quote(ours.schema)}.${quote(ours.table)}`;
  // without a key a row's place has to do
  const key = ours.key.length === 0 ? [{ name: 'ctid', type: 'tid' }] : ours.key;
  const column = (name: string): string => (ours.key.length === 0 ? name : quote(name));
  const pages = `greatest(1, pg_relation_size(${oid}) / current_setting('block_size')::int)`;
  return {
    prepare: setting(ours, 'SET'),
    keys: {
      id: 'probe:keys',
      note: 'keys of rows all over the table; they stay in memory',
      sql: `SELECT ${key.map(({ name }, index) => `${column(name)}::text AS k${index}`).join(', ')} FROM ${table}
WHERE ctid = ANY (ARRAY(SELECT format('(%s,%s)', floor(random() * ${pages}), 1 + floor(random() * 40))::tid FROM generate_series(1, 400)))`,
    },
    one: {
      id: 'probe:one',
      note: `${key.map((_, index) => `$${index + 1}`).join(', ')} a key; how long it takes is what is measured, some fifty times a second`,
      sql: `SELECT xmin FROM ${table} WHERE ${key.map(({ name, type }, index) => `${column(name)} = $${index + 1}::${type}`).join(' AND ')}`,
    },
    commit: {
      id: 'probe:commit',
      note: '$1 deployment; after each of them, because an application commits: a row lock of ours leaves nothing behind',
      sql: `SELECT 1 FROM ${quote(ours.homeSchema)}.claims WHERE deployment = $1 FOR KEY SHARE`,
    },
  };
}
