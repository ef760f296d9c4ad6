import type { ClaimResult, Site } from '../../contracts/activities.ts';
import type { TablePlan } from '../../contracts/plan.ts';
import { closeHome, deliveryOf, fenced, home, letIn, openHome, sessionName, takeFence, turnOut } from './home.ts';
import { inTransaction, withSession, type Session, type TargetConnection } from './session.ts';

/** Takes the lock row of the plan's table, or says who has it. Again by the same deployment: it is held. */
export async function claim(target: TargetConnection, site: Site, plan: TablePlan): Promise<ClaimResult> {
  return withSession(target, sessionName(site), (session) =>
    inTransaction(session, async () => {
      await openHome(session, site);
      const { oid, columns, schema, table, actsAs } = plan.object;
      if (actsAs !== undefined) await letIn(session, site, actsAs);
      const holder = await holderOf(session, site, oid, columns);
      if (holder !== null) return { held: false, holder };
      await session.query(
        `INSERT INTO ${home(site)}.claims (deployment, table_oid, table_name, columns, whole_table, mark, turn, fence)
         VALUES ($1, $2, $3, $4, true, $5, $6, 0) ON CONFLICT (deployment) DO NOTHING`,
        [site.deployment, oid, `${schema}.${table}`, columns, plan.specHash.slice(0, 8), deliveryOf(site)],
      );
      await session.query(
        `INSERT INTO ${home(site)}.progress (deployment, stage, shard) VALUES ($1, 'backfill', 0) ON CONFLICT DO NOTHING`,
        [site.deployment],
      );
      return { held: true };
    }),
  );
}

/** Narrows the lock to the columns during grace, or widens it to the whole table again. */
export async function holdColumnsOnly(
  target: TargetConnection,
  site: Site,
  columnsOnly: boolean,
): Promise<ClaimResult> {
  return withSession(target, sessionName(site), (session) =>
    inTransaction(session, async () => {
      await openHome(session, site);
      await takeFence(session, site);
      const rows = await session.query(
        `SELECT table_oid::int8::float8 AS oid, to_jsonb(columns) AS columns FROM ${home(site)}.claims WHERE deployment = $1`,
        [site.deployment],
      );
      if (rows[0] === undefined) throw fenced(site);
      const columns = rows[0]['columns'];
      const holder = await holderOf(
        session,
        site,
        Number(rows[0]['oid']),
        Array.isArray(columns) ? columns.map(String) : [],
      );
      if (holder !== null && !columnsOnly) return { held: false, holder };
      await session.query(`UPDATE ${home(site)}.claims SET whole_table = $2 WHERE deployment = $1`, [
        site.deployment,
        !columnsOnly,
      ]);
      return { held: true };
    }),
  );
}

/** Gives the lock back; our schema goes with the last one. */
export async function release(target: TargetConnection, site: Site): Promise<void> {
  await withSession(target, sessionName(site), (session) =>
    inTransaction(session, async () => {
      await openHome(session, site);
      const claims = `${home(site)}.claims WHERE deployment = $1`;
      const newer = await session.query(`SELECT 1 AS newer FROM ${claims} AND turn > $2`, [
        site.deployment,
        deliveryOf(site),
      ]);
      if (newer.length > 0) throw fenced(site);
      await session.query(`DELETE FROM ${home(site)}.misfits WHERE mark IN (SELECT mark FROM ${claims})`, [
        site.deployment,
      ]);
      await turnOut(session, site);
      await session.query(`DELETE FROM ${claims}`, [site.deployment]);
      await closeHome(session, site);
    }),
  );
}

/** Who holds the table, or one of these columns. Called under the lock of `openHome`: two claims never pass each other. */
async function holderOf(session: Session, site: Site, oid: number, columns: readonly string[]): Promise<string | null> {
  const rows = await session.query(
    `SELECT deployment FROM ${home(site)}.claims
     WHERE table_oid = $1 AND deployment <> $2 AND (whole_table OR columns && $3::text[]) ORDER BY claimed_at LIMIT 1`,
    [oid, site.deployment, columns],
  );
  const holder = rows[0]?.['deployment'];
  return typeof holder === 'string' ? holder : null;
}
