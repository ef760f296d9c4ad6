import type { Plan } from '../contracts/plan.ts';
import type { Ledger } from './connect.ts';
import { toJson } from './json.ts';

/** The attempt of a deployment that no request here has reserved. */
const noAttempt = '00000000-0000-0000-0000-000000000000';

/** A request to start a deployment: kept before its workflow begins, so that the same request meets the same plan. */
export interface Reservation {
  readonly id: string;
  readonly plan: Plan;
  readonly startedBy: string;
  /** Epoch ms. */
  readonly startedAt: number;
  readonly keyScope: string;
  readonly keyHash: string;
  /** UUID of the request that made it. */
  readonly attempt: string;
}

/** A reservation as it is kept. */
export interface KeptStart extends Reservation {
  readonly specHash: string;
  /** Whether its workflow has reported. */
  readonly accepted: boolean;
}

/** Keeps a reservation unless there is one of its id or key; gives the one of its key, null: its id has another key. */
export async function saveStart(ledger: Ledger, reservation: Reservation): Promise<KeptStart | null> {
  const { plan, keyScope, keyHash } = reservation;
  const { numInsertedOrUpdatedRows: kept } = await ledger
    .insertInto('deployments')
    .values({
      id: reservation.id,
      name: plan.name,
      target: plan.target,
      strategy: plan.strategy,
      environment: plan.environment,
      spec_hash: plan.specHash,
      plan_hash: plan.hash,
      plan: toJson(plan),
      started_by: reservation.startedBy,
      started_at: new Date(reservation.startedAt),
      key_scope: keyScope,
      key_hash: keyHash,
      attempt: reservation.attempt,
      seq: 0,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (kept === 1n) return { ...reservation, specHash: plan.specHash, accepted: false };
  return findStart(ledger, keyScope, keyHash, reservation.id);
}

/**
 * The reservation of a key; null: nobody has used it. A deployment that came back into a lost ledger has no key there;
 * its id, which follows from the key, stands for it.
 */
export async function findStart(
  ledger: Ledger,
  keyScope: string,
  keyHash: string,
  id: string,
): Promise<KeptStart | null> {
  const row = await ledger
    .selectFrom('deployments')
    .select(['id', 'plan', 'spec_hash', 'started_by', 'started_at', 'attempt'])
    .select((eb) => eb('status', 'is not', null).as('accepted'))
    .where((eb) =>
      eb.or([
        eb.and({ key_scope: keyScope, key_hash: keyHash }),
        eb.and([eb('id', '=', id), eb('key_hash', 'is', null)]),
      ]),
    )
    .orderBy('key_hash', (order) => order.asc().nullsLast())
    .executeTakeFirst();
  if (row === undefined) return null;
  return {
    id: row.id,
    plan: row.plan as Plan, // `saveStart` and `keepPlan` write nothing else
    specHash: row.spec_hash ?? '',
    startedBy: row.started_by,
    startedAt: row.started_at.getTime(),
    attempt: row.attempt ?? noAttempt,
    keyScope,
    keyHash,
    accepted: Boolean(row.accepted),
  };
}

/** Forgets a reservation, unless a workflow has reported on it or another request has made it anew. */
export async function dropStart(ledger: Ledger, { id, attempt }: Pick<Reservation, 'id' | 'attempt'>): Promise<void> {
  await ledger
    .deleteFrom('deployments')
    .where('id', '=', id)
    .where('attempt', '=', attempt)
    .where('status', 'is', null)
    .execute();
}
