import { heartbeat, sleep } from '@temporalio/activity';
import pg from 'pg';
import type { AlterFacts, Site } from '../../contracts/activities.ts';
import type { Alteration, Statement } from '../../contracts/plan.ts';
import { failure } from '../failures.ts';
import { beating } from './beating.ts';
import { holdFence, sessionName, takeFence } from './home.ts';
import { textOf, withSession, type Session, type TargetConnection } from './session.ts';
import { sqlStateOf } from './sql-failure.ts';

/** Lock timeouts of successive tries, ms: while we wait for the lock, every later statement of the application waits too. */
const ladderMs = [20, 30, 50, 50, 75, 100];
/** How long one attempt goes on trying before it hands back, ms. */
const patienceMs = 40_000;

/**
 * Runs one DDL transaction behind the fence. It looks into `pg_locks` first and tries only when nobody holds the table,
 * then waits for the lock no longer than a few tens of milliseconds: a reader of hours delays us, never the application.
 * After a lost answer the plan's probe tells whether it happened.
 */
export async function alter(target: TargetConnection, site: Site, alteration: Alteration): Promise<AlterFacts> {
  return withSession(target, sessionName(site), async (session) => {
    const fence = await takeFence(session, site);
    if (await isDone(session, site, alteration)) return { changed: false, lockMs: 0, tries: 0 };
    const started = Date.now();
    for (let tries = 1; ; tries++) {
      heartbeat({ tries });
      const lockMs = await attempt(
        session,
        site,
        fence,
        alteration,
        ladderMs[Math.min(tries, ladderMs.length) - 1] ?? 100,
      );
      if (lockMs !== null) {
        if (!(await isDone(session, site, alteration)))
          throw failure('TARGET_DRIFTED', 'the change was made and is not there');
        return { changed: true, lockMs, tries };
      }
      if (Date.now() - started > patienceMs) throw await lockRefused(session, alteration);
      await sleep(50 + Math.random() * 150);
    }
  });
}

/** Statements that lock little and take long, one by one; each is written so that running it again does no harm. */
export async function alterLong(target: TargetConnection, site: Site, statements: readonly Statement[]): Promise<void> {
  const work = async (session: Session): Promise<void> => {
    await takeFence(session, site);
    await session.query(`SET lock_timeout = '100ms'`);
    for (const { sql } of statements) await session.query(sql);
  };
  await beating(() => withSession(target, sessionName(site), work, null));
}

/**
 * Milliseconds that the transaction took, or null when others hold the table. From the first strong lock to the commit
 * everything is one message: whatever happens to us or to the network meanwhile, the application never waits for it.
 */
async function attempt(
  session: Session,
  site: Site,
  fence: number,
  alteration: Alteration,
  timeoutMs: number,
): Promise<number | null> {
  if ((await holders(session, alteration)).length > 0) return null;
  const started = performance.now();
  try {
    await session.script(
      `BEGIN; SET LOCAL lock_timeout = '${timeoutMs}ms'; SET LOCAL statement_timeout = '10s'; SET LOCAL idle_in_transaction_session_timeout = '3s'`,
    );
    await holdFence(session, site, fence);
    const statements = alteration.statements.map((statement) => asText(statement, site.deployment));
    await session.script([...statements, 'COMMIT'].join(';\n'));
  } catch (error) {
    await session.query('ROLLBACK').catch(() => undefined);
    if (sqlStateOf(error) === '55P03') return null;
    throw error;
  }
  return Math.round((performance.now() - started) * 10) / 10;
}

/** A statement with its one parameter, if its note names it. Expressions of a spec may hold a `$1` of their own. */
const asText = ({ sql, note }: Statement, deployment: string): string =>
  note.includes('$1 deployment') ? sql.replaceAll('$1', () => pg.escapeLiteral(deployment)) : sql;

async function isDone(session: Session, site: Site, { done }: Alteration): Promise<boolean> {
  return (await session.query(done.sql, [site.deployment]))[0]?.['done'] === true;
}

/** The tables of quoted names; to_regclass would ask for rights on their schemas. */
const named = `SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE '"' || replace(n.nspname, '"', '""') || '"."' || replace(c.relname, '"', '""') || '"' = ANY ($1) OR format('%I.%I', n.nspname, c.relname) = ANY ($1)`;

/**
 * Sessions whose transactions hold any lock on the tables or a partition of them: DDL conflicts with every one of them.
 * Of what an application calls itself only a plain beginning is kept: some put their whole address there, password and
 * all.
 */
const holders = (session: Session, { table, alsoLocks = [] }: Alteration) =>
  session.query(
    `WITH RECURSIVE tree (oid) AS (${named} UNION ALL SELECT i.inhrelid FROM pg_inherits i JOIN tree ON i.inhparent = tree.oid)
     SELECT l.pid, coalesce(nullif(substring(a.application_name from '^[[:alnum:] _.-]*'), ''), a.backend_type, 'unknown') AS application, round(extract(epoch FROM clock_timestamp() - a.xact_start)::numeric, 1)::float8 AS seconds
     FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
     WHERE l.locktype = 'relation' AND l.relation IN (SELECT oid FROM tree) AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND l.granted AND l.pid <> pg_backend_pid() AND clock_timestamp() - a.xact_start > interval '30 milliseconds'`,
    [[table, ...alsoLocks]],
  );

async function lockRefused(session: Session, alteration: Alteration): Promise<Error> {
  const who = (await holders(session, alteration)).map(
    (row) => `pid ${textOf(row['pid'])} (${textOf(row['application'])}, ${textOf(row['seconds'])} s)`,
  );
  return failure(
    'LOCK_NOT_ACQUIRED',
    `${alteration.table} is held by ${who.length === 0 ? 'short transactions in turn' : who.join(', ')}`,
  );
}
