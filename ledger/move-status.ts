import type { Transaction } from 'kysely';
import type { Plan } from '../contracts/plan.ts';
import type { Status } from '../contracts/progress.ts';
import type { Ledger } from './connect.ts';
import { storable, toJson } from './json.ts';
import type { LedgerTables } from './tables.ts';

/** Keeps a status; gives whether it was newer than the kept one: a later event, or the same events and a later change. */
export async function moveStatus(ledger: Ledger, id: string, status: Status, seq: number): Promise<boolean> {
  const row = {
    plan_hash: status.planHash,
    status: toJson(status),
    phase: status.phase,
    stage: status.stage,
    changed_at: new Date(status.changedAt),
  };
  const done = await ledger
    .insertInto('deployments')
    .values({
      ...row,
      id,
      seq,
      name: status.name,
      target: status.target,
      strategy: status.strategy,
      started_by: storable(status.startedBy.name),
      started_at: new Date(status.startedAt),
    })
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet((eb) => ({ ...row, seq: eb.fn<number>('greatest', ['deployments.seq', 'excluded.seq']) }))
        .where((eb) =>
          eb.or([
            eb('deployments.status', 'is', null),
            eb('excluded.seq', '>', eb.ref('deployments.seq')),
            eb.and([
              eb.or([eb('excluded.seq', '=', eb.ref('deployments.seq')), eb('excluded.seq', '=', 0)]),
              eb('excluded.changed_at', '>', eb.ref('deployments.changed_at')),
            ]),
          ]),
        ),
    )
    .executeTakeFirst();
  return (done.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

/** The workflow's plan is the true one: a reservation only says what was asked for. */
export async function keepPlan(trx: Transaction<LedgerTables>, id: string, plan: Plan): Promise<void> {
  const row = { plan: toJson(plan), plan_hash: plan.hash, spec_hash: plan.specHash, environment: plan.environment };
  await trx.updateTable('deployments').set(row).where('id', '=', id).execute();
}
