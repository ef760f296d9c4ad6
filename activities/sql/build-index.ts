import { heartbeat, sleep } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { BuildFacts, Site } from '../../contracts/activities.ts';
import type { IndexBuild } from '../../contracts/plan.ts';
import { failure } from '../failures.ts';
import { fenced, home, sessionName, takeFence } from './home.ts';
import type { TellProgress } from './progress-teller.ts';
import { openSession, textOf, withSession, type Session, type TargetConnection } from './session.ts';
import { cancelOthers } from './steer.ts';

/** How often the server is asked how far it is, ms. */
const everyMs = 1_000;

/**
 * Makes one index beside the application's work, in a session of its own that no timeout ends. An attempt that was
 * interrupted has left an index that costs every write and helps nobody: it is removed and begun anew. What counts is
 * the catalog: valid, and as the plan wants it; never that the statement has returned.
 */
export async function buildIndex(
  target: TargetConnection,
  input: { readonly site: Site; readonly stage: string; readonly index: IndexBuild },
  tell: TellProgress,
): Promise<BuildFacts> {
  const { site, index } = input;
  const session = await openSession(target, sessionName(site), null);
  const watch = new AbortController();
  let watched: Promise<void> = Promise.resolve();
  try {
    const fence = await takeFence(session, site);
    // an earlier attempt's statement may still run: its worker is gone, or nobody waits for it any more
    await cancelOthers(session, site);
    for (const { sql } of index.session) await session.query(sql);
    const found = await probe(session, index);
    if (found.ready) return { built: false };
    watched = watchOver(target, input, fence, tell, watch.signal);
    const made = make(session, index, found.there);
    // a lost fence ends the wait, not the statement: whoever has raised it cancels that
    await Promise.race([made, watched.then(() => made)]);
    if (!(await probe(session, index)).ready)
      throw failure('TARGET_DRIFTED', `index ${index.name} was made and is not as it should be`);
    return { built: true };
  } finally {
    watch.abort();
    await session.close();
    await watched.catch(() => undefined);
  }
}

async function make(session: Session, { create, drop }: IndexBuild, there: boolean): Promise<void> {
  if (there) await session.query(drop.sql);
  try {
    await session.query(create.sql);
  } catch (error) {
    // Half made, a unique index refuses writes of the application already. Of an attempt that was ended by a newer one
    // the newer one removes what is left: here it could be that one's own.
    if (isRefused(error)) await session.query(drop.sql).catch(() => undefined);
    throw error;
  }
}

async function probe(
  session: Session,
  index: IndexBuild,
): Promise<{ readonly there: boolean; readonly ready: boolean }> {
  const row = (await session.query(index.probe.sql))[0];
  return { there: row?.['there'] === true, ready: row?.['ready'] === true };
}

/** Heartbeats, and tells how far it is, until the signal; throws when a newer attempt has the fence. */
async function watchOver(
  target: TargetConnection,
  { site, stage, index }: { readonly site: Site; readonly stage: string; readonly index: IndexBuild },
  fence: number,
  tell: TellProgress,
  signal: AbortSignal,
): Promise<void> {
  await withSession(target, 'lakeshift look', async (session) => {
    while (!signal.aborted) {
      const [row] = await session.query(progressSql, [sessionName(site)]);
      const share = Number(row?.['share'] ?? 0);
      heartbeat({ index: index.name, share });
      const phase = textOf(row?.['phase']);
      const pace = `${index.name}: ${phase === '' ? 'begins' : phase}`;
      const live = { id: site.deployment, stage, rows: 0, totalRows: null, rate: null, secondsToGo: null };
      await tell({ ...live, pace, at: Date.now() }).catch(() => undefined);
      if (!(await isHeld(session, site, fence))) throw fenced(site);
      await Promise.race([sleep(everyMs), ended(signal)]);
    }
  });
}

const ended = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

const isRefused = (error: unknown): boolean => error instanceof ApplicationFailure && error.type === 'SQL_FAILED';

const progressSql = `SELECT p.phase, CASE WHEN p.blocks_total > 0 THEN p.blocks_done::float8 / p.blocks_total ELSE 0 END AS share
  FROM pg_stat_progress_create_index p JOIN pg_stat_activity a ON a.pid = p.pid WHERE a.application_name = $1`;

async function isHeld(session: Session, site: Site, fence: number): Promise<boolean> {
  const rows = await session.query(`SELECT 1 AS held FROM ${home(site)}.claims WHERE deployment = $1 AND fence = $2`, [
    site.deployment,
    fence,
  ]);
  return rows.length === 1;
}
