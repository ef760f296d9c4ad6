import { sql, type Transaction } from 'kysely';
import type { DeploymentEvent } from '../contracts/events.ts';
import type { Notification, TurningPoint } from '../contracts/notifications.ts';
import type { Status } from '../contracts/progress.ts';
import { toJson } from './json.ts';
import type { LedgerTables } from './tables.ts';

/** Says what is told of an event, and to whom; pure. */
export interface Announcer {
  /** Null: nothing is told of it. */
  notificationOf(status: Status, event: DeploymentEvent): Notification | null;
  /** `named`: the channels that the spec names; null: it names none. */
  channelsFor(point: TurningPoint, named: readonly string[] | null): readonly string[];
}

/**
 * Notes in the transaction of the events what is to be told of them: either both are kept or neither is. `events` are
 * those that were not there before, so that an entry which comes twice is told once.
 */
export async function fillOutbox(
  trx: Transaction<LedgerTables>,
  status: Status,
  events: readonly DeploymentEvent[],
  announcer: Announcer,
): Promise<void> {
  const notifications = events
    .map((event) => announcer.notificationOf(status, event))
    .filter((notification) => notification !== null);
  if (notifications.length === 0) return;
  const { isThere, named } = await placeFor(trx, status.id);
  if (!isThere) return;
  const rows = notifications.flatMap((notification) =>
    announcer.channelsFor(notification.point, named).map((channel) => ({
      deployment: status.id,
      seq: notification.seq,
      channel,
      message: toJson(notification),
    })),
  );
  if (rows.length === 0) return;
  await trx
    .insertInto('outbox')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/**
 * Whether this ledger has an outbox, and whom the deployment's spec names. A worker may be newer than the ledger, which
 * the API migrates: then nobody is told, but the deployment goes on.
 */
async function placeFor(trx: Transaction<LedgerTables>, deployment: string) {
  const { rows } = await sql<{ isThere: boolean; named: unknown }>`
    select to_regclass('lakeshift_ledger.outbox') is not null as "isThere", plan #> '{spec,notify}' as named
    from lakeshift_ledger.deployments where id = ${deployment}`.execute(trx);
  const { isThere = false, named = null } = rows[0] ?? {};
  return { isThere, named: namesIn(named) };
}

function namesIn(named: unknown): readonly string[] | null {
  if (typeof named === 'string') return [named];
  return Array.isArray(named) ? named.filter((name) => typeof name === 'string') : null;
}
