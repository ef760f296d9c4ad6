import { sql, type Transaction } from 'kysely';
import type { Known } from '../contracts/messages.ts';
import type { Approval, Status } from '../contracts/progress.ts';
import { storable, toJson } from './json.ts';
import { keepPlan, moveStatus } from './move-status.ts';
import { projectEvents, projectStages } from './project.ts';
import type { LedgerTables } from './tables.ts';

/** What the ledger got back of one deployment. */
export interface Rebuilt {
  /** Whether anything of it was here before. */
  readonly wasKnown: boolean;
  /** Events that had been recorded and are gone; they can't be had from anywhere. */
  readonly lostEvents: number;
}

type Tables = Transaction<LedgerTables>;

/**
 * Writes back what a deployment knows of itself: plan, status, stages, approvals, its end. Of all other events only
 * their number is known; one event, in the place of the last that is gone, says so. Twice is like once, and whatever the deployment
 * records meanwhile stands: a status is moved forward only, and an event that is here stays.
 */
export async function rebuildDeployment(trx: Tables, { plan, status, carried }: Known, at: number): Promise<Rebuilt> {
  const { id } = status;
  const before = await trx.selectFrom('deployments').select('plan').where('id', '=', id).executeTakeFirst();
  // What is in the outbox comes by itself.
  const recorded = carried.eventSeq - (carried.outbox?.length ?? 0);
  if (await moveStatus(trx, id, status, recorded)) await projectStages(trx, id, status);
  if ((before?.plan ?? null) === null) await keepPlan(trx, id, plan);
  for (const [index, approval] of status.progress.approvals.entries()) await keepApproval(trx, id, approval, index);
  await tellOfEnd(trx, status, recorded);
  return { wasKnown: before !== undefined, lostEvents: await tellOfLost(trx, id, recorded, at) };
}

/** Approvals whose events are gone get numbers below all events. */
async function keepApproval(trx: Tables, deployment: string, approval: Approval, index: number): Promise<void> {
  const { actor, stage, reason, planHash, evidenceHash } = approval;
  const name = storable(actor.name);
  const at = new Date(approval.at);
  const known = await trx
    .selectFrom('approvals')
    .select('seq')
    .where((eb) => eb.and({ deployment, actor: name, at, counts: true }))
    .executeTakeFirst();
  if (known !== undefined) return;
  await trx
    .insertInto('approvals')
    .values({
      deployment,
      seq: -1 - index,
      at,
      stage,
      actor: name,
      role: actor.role,
      groups: toJson(actor.groups),
      reason: storable(reason),
      plan_hash: planHash,
      evidence_hash: evidenceHash,
      counts: true,
      because: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** The last event of a deployment that has ended says how, and whoever follows its events waits for it. */
async function tellOfEnd(trx: Tables, { id, progress: { outcome } }: Status, seq: number): Promise<void> {
  if (outcome === null || seq === 0) return;
  const { phase, because, at } = outcome;
  const known = await trx
    .selectFrom('events')
    .select('seq')
    .where((eb) => eb.and({ deployment: id, kind: 'ended' }))
    .executeTakeFirst();
  if (known !== undefined) return;
  const text = `${phase}: ${because}`;
  await projectEvents(trx, id, [{ seq, at, kind: 'ended', stage: null, text, data: { ...outcome } }]);
}

/** Gives how many events up to `recorded` are missing that no earlier rebuild has told of, and tells of them. */
async function tellOfLost(trx: Tables, deployment: string, recorded: number, at: number): Promise<number> {
  const { rows } = await sql<{ count: number; first: number | null; last: number | null }>`
    select count(*), min(seq) as first, max(seq) as last
    from generate_series(1 + coalesce((
      select max(seq) from lakeshift_ledger.events where deployment = ${deployment} and kind = 'rebuilt'
    ), 0), ${recorded}::int) as seq
    where not exists (
      select from lakeshift_ledger.events e where e.deployment = ${deployment} and e.seq = seq.seq
    )`.execute(trx);
  const { count, first, last } = rows[0] ?? { count: 0, first: null, last: null };
  if (first === null || last === null) return 0;
  const text = `the ledger was rebuilt from the deployment itself; ${count} events from ${first} to ${last} are lost`;
  const data = { lost: count, from: first, to: last };
  await projectEvents(trx, deployment, [{ seq: last, at, kind: 'rebuilt', stage: null, text, data }]);
  return count;
}
