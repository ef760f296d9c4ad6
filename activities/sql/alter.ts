import { heartbeat, sleep } from '@temporalio/activity';
import type { AlterFacts, Site } from '../../contracts/activities.ts';
import type { Alteration, Statement } from '../../contracts/plan.ts';
import { failure } from '../failures.ts';
import { beating } from './beating.ts';
import { holdFence, sessionName, takeFence } from './home.ts';
import { inTransaction, textOf, withSession, type Session, type TargetConnection } from './session.ts';
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

/** Milliseconds that the transaction took, or null when others hold the table. */
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
    await inTransaction(session, async () => {
      await session.query(`SET LOCAL lock_timeout = '${timeoutMs}ms'`);
      await session.query(`SET LOCAL statement_timeout = '10s'`);
      await holdFence(session, site, fence);
      for (const { sql } of alteration.statements) await run(session, sql, site.deployment);
    });
  } catch (error) {
    if (sqlStateOf(error) === '55P03') return null;
    throw error;
  }
  return Math.round((performance.now() - started) * 10) / 10;
}

async function isDone(session: Session, site: Site, { done }: Alteration): Promise<boolean> {
  const rows = await run(session, done.sql, site.deployment);
  return rows[0]?.['done'] === true;
}

const run = (session: Session, sql: string, deployment: string) =>
  session.query(sql, sql.includes('$1') ? [deployment] : []);

/** The tables of quoted names; to_regclass would ask for rights on their schemas. */
const named = `(SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE '"' || replace(n.nspname, '"', '""') || '"."' || replace(c.relname, '"', '""') || '"' = ANY ($1) OR format('%I.%I', n.nspname, c.relname) = ANY ($1))`;

/** Sessions whose transactions hold any lock on the tables: DDL conflicts with every one of them. */
const holders = (session: Session, { table, alsoLocks = [] }: Alteration) =>
  session.query(
    `SELECT l.pid, coalesce(nullif(a.application_name, ''), a.backend_type, 'unknown') AS application, round(extract(epoch FROM clock_timestamp() - a.xact_start)::numeric, 1)::float8 AS seconds
     FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
     WHERE l.locktype = 'relation' AND l.relation IN ${named} AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
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
