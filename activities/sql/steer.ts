import type { Site } from '../../contracts/activities.ts';
import { deliveryOf, home, sessionName } from './home.ts';
import { withSession, type Session, type TargetConnection } from './session.ts';

/** How the claim says that somebody has ordered no bound; without any order the rate there is null. */
const lifted = 0;

/** Rows per second that an order in the claim allows; null: unbounded. */
export const orderedRate = (rate: number): number | null => (rate === lifted ? null : rate);

/** Writes pause and rate into the claim; a running backfill reads them with its next chunk. */
export async function steer(target: TargetConnection, site: Site, paused: boolean, rate: number | null): Promise<void> {
  await withSession(target, sessionName(site), async (session) => {
    await session.query(`SET lock_timeout = '2s'`);
    const values = [site.deployment, paused, rate ?? lifted];
    await session.query(`UPDATE ${home(site)}.claims SET paused = $2, rate = $3 WHERE deployment = $1`, values);
  });
}

const ourSessions = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE $1 AND pid <> pg_backend_pid()`;
const sessionsOf = ({ deployment }: Site): string => `lakeshift ${deployment.slice(-40)} #%`.replaceAll('_', '\\_');

/** Cancels what other sessions of this deployment still run; an attempt calls it once it has the fence. */
export async function cancelOthers(session: Session, site: Site): Promise<void> {
  await session.query(`SELECT pg_cancel_backend(pid) FROM (${ourSessions}) AS o`, [sessionsOf(site)]);
}

/**
 * The first act of an undo: no older attempt can write from here on. Statements of theirs that still run are cancelled,
 * whether their worker lives or not; one that does not answer within a second loses its connection.
 */
export async function raiseFence(target: TargetConnection, site: Site): Promise<void> {
  await withSession(target, sessionName(site), async (session) => {
    const others = `${ourSessions} AND application_name <> $2`;
    const names = [sessionsOf(site), sessionName(site)];
    await session.query(`SELECT pg_cancel_backend(pid) FROM (${others}) AS o`, names);
    await session.query(`SET lock_timeout = '1s'`);
    try {
      await raise();
    } catch {
      await session.query(`SELECT pg_terminate_backend(pid) FROM (${others}) AS o`, names);
      await raise();
    }

    async function raise(): Promise<void> {
      await session.query(
        `UPDATE ${home(site)}.claims SET turn = greatest(turn, $2), fence = fence + 1 WHERE deployment = $1`,
        [site.deployment, deliveryOf(site)],
      );
      // the claim's own number: an attempt that has taken the claim's fence and not yet the progress row's is refused too
      await session.query(
        `UPDATE ${home(site)}.progress SET fence = (SELECT c.fence FROM ${home(site)}.claims AS c WHERE c.deployment = $1) WHERE deployment = $1`,
        [site.deployment],
      );
    }
  });
}
