import { heartbeat, sleep } from '@temporalio/activity';
import pg from 'pg';
import type { AlterFacts, Site } from '../../contracts/activities.ts';
import type { Alteration, Statement } from '../../contracts/plan.ts';
import { failure } from '../failures.ts';
import { beating } from './beating.ts';
import { holdFence, home, sessionName, takeFence } from './home.ts';
import { LockHolders, type Holder } from './lock-holders.ts';
import { type TellProgress } from './progress-teller.ts';
import { withSession, type Session, type TargetConnection } from './session.ts';
import { sqlStateOf } from './sql-failure.ts';

/**
 * Lock timeouts of successive tries, ms: while we wait for the lock, every later statement of the application waits too.
 * Most tables have a free moment within a few looks; only one that never has is waited for a little longer.
 */
const ladderMs = [1, 1, 1, 2, 2, 3, 4, 6, 8, 10, 12, 15];
/** A transaction that has lasted longer than this will not be over within a step of the ladder, ms. */
const longMs = 30;
/** How soon to look again while somebody holds the table, ms. */
const lookAgainMs = 40;
/** How long one attempt goes on trying before it hands back, ms; less than the activity may take. */
const patienceMs = 90_000;
const tellEveryMs = 500;

/**
 * Runs one DDL transaction behind the fence. It looks into `pg_locks` first and tries only when nobody holds the table
 * for long, then waits for the lock a few milliseconds at the most: a reader of hours delays us, never the application.
 * After a lost answer the plan's probe tells whether it happened.
 */
export async function alter(
  target: TargetConnection,
  { site, stage, alteration }: { readonly site: Site; readonly stage: string; readonly alteration: Alteration },
  tell: TellProgress,
): Promise<AlterFacts> {
  return withSession(target, sessionName(site), async (session) => {
    const fence = await takeFence(session, site);
    if (await isDone(session, site, alteration)) return { changed: false, lockMs: 0, tries: 0 };
    const waiting = new Waiting(
      new LockHolders(session, [alteration.table, ...(alteration.alsoLocks ?? [])]),
      site,
      stage,
      alteration.table,
      tell,
    );
    for (let tries = 0; ;) {
      const free = await waiting.look(tries);
      if (free) {
        const lockMs = await attempt(session, site, fence, alteration, ladderMs[tries] ?? 15);
        tries += 1;
        if (lockMs !== null) return { changed: true, lockMs, tries: await made(session, site, alteration, tries) };
      }
      await sleep(lookAgainMs * (0.5 + Math.random()));
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

/** Looks who holds the table, names them to whoever watches, and gives up in the end. */
class Waiting {
  readonly #holders: LockHolders;
  readonly #site: Site;
  readonly #stage: string;
  readonly #table: string;
  readonly #tell: TellProgress;
  readonly #until = Date.now() + patienceMs;
  #toldAt = 0;

  constructor(holders: LockHolders, site: Site, stage: string, table: string, tell: TellProgress) {
    this.#holders = holders;
    this.#site = site;
    this.#stage = stage;
    this.#table = table;
    this.#tell = tell;
  }

  /** Whether now is a moment to try. */
  async look(tries: number): Promise<boolean> {
    const long = (await this.#holders.look()).filter(({ forMs }) => forMs > longMs);
    if (Date.now() > this.#until) throw lockRefused(this.#table, long);
    await this.#say(long, tries);
    return long.length === 0;
  }

  async #say(long: readonly Holder[], tries: number): Promise<void> {
    const now = Date.now();
    if (now - this.#toldAt < tellEveryMs) return;
    this.#toldAt = now;
    const pace = `${tries} tries; waits for ${this.#table}, held by ${namesOf(long)}`;
    heartbeat({ tries, pace });
    if (tries === 0 && long.length === 0) return;
    const { deployment: id } = this.#site;
    const live = { id, stage: this.#stage, rows: 0, totalRows: null, rate: null, secondsToGo: null, pace, at: now };
    await this.#tell(live).catch(() => undefined);
  }
}

/**
 * Milliseconds that the statements took from the first, or null when the lock was not to be had. From the first strong
 * lock to the commit everything is one message: whatever happens to us or to the network meanwhile, the application
 * never waits for it. Nor does it wait for the disk.
 */
async function attempt(
  session: Session,
  site: Site,
  fence: number,
  alteration: Alteration,
  timeoutMs: number,
): Promise<number | null> {
  const statements = alteration.statements.map((statement) => asText(statement, site.deployment));
  let started = 0;
  try {
    await session.script(
      `BEGIN; SET LOCAL lock_timeout = '${timeoutMs}ms'; SET LOCAL statement_timeout = '10s'; SET LOCAL idle_in_transaction_session_timeout = '3s'; SET LOCAL synchronous_commit = off`,
    );
    await holdFence(session, site, fence);
    started = performance.now();
    await session.script([...statements, 'COMMIT'].join('\n;\n'));
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

/** The change is there, and on disk: an update that waits for the disk takes along what was committed before it. */
async function made(session: Session, site: Site, alteration: Alteration, tries: number): Promise<number> {
  if (!(await isDone(session, site, alteration)))
    throw failure('TARGET_DRIFTED', 'the change was made and is not there');
  await session.query(`UPDATE ${home(site)}.claims SET turn = turn WHERE deployment = $1`, [site.deployment]);
  return tries;
}

async function isDone(session: Session, site: Site, { done }: Alteration): Promise<boolean> {
  return (await session.query(done.sql, [site.deployment]))[0]?.['done'] === true;
}

const namesOf = (holders: readonly Holder[]): string =>
  holders.length === 0
    ? 'short transactions in turn'
    : `${holders
        .slice(0, 5)
        .map(({ words }) => words)
        .join(', ')}${holders.length > 5 ? ` and ${holders.length - 5} more` : ''}`;

const lockRefused = (table: string, holders: readonly Holder[]): Error =>
  failure('LOCK_NOT_ACQUIRED', `${table} is held by ${namesOf(holders)}`);
