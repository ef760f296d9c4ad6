import type { Transaction } from 'kysely';
import type { LedgerEntry, LiveProgress } from '../contracts/events.ts';
import type { Plan } from '../contracts/plan.ts';
import type { Status } from '../contracts/progress.ts';
import type { Ledger } from './connect.ts';
import { storable, toJson } from './json.ts';
import { createPlanKeeper } from './plans.ts';
import { projectEvents, projectStages } from './project.ts';
import { dropStart, saveStart, type KeptStart, type Reservation } from './starts.ts';
import type { LedgerTables } from './tables.ts';

/** Writes into the ledger. Everything may be written twice and late; the result is the same. Throws driver errors. */
export interface LedgerWriter {
  /** Keeps events and status; a status that is older than the kept one changes nothing. */
  record(entry: LedgerEntry): Promise<void>;
  /** Keeps the status with which a deployment was accepted, in one round trip, unless its workflow has reported more. */
  recordAccepted(status: Status): Promise<void>;
  /** Keeps a plan that was shown, made at `at` (epoch ms); those older than a day are forgotten by and by. */
  savePlan(plan: Plan, at: number): Promise<void>;
  /** Keeps a reservation unless there is one of its id or key; gives the one of its key, null: its id has another key. */
  saveStart(reservation: Reservation): Promise<KeptStart | null>;
  /** Forgets a reservation that came to nothing; never one that a workflow has reported on. */
  dropStart(reservation: Pick<Reservation, 'id' | 'attempt'>): Promise<void>;
  /** Overwrites what a running stage says of itself, unless a later word is there. */
  saveLive(live: LiveProgress): Promise<void>;
}

/** The writer over a connected ledger. */
export const createLedgerWriter = (ledger: Ledger): LedgerWriter => ({
  record: (entry) => ledger.transaction().execute((trx) => recordEntry(trx, entry)),
  async recordAccepted(status) {
    await moveStatus(ledger, status.id, status, 0);
  },
  savePlan: createPlanKeeper(ledger),
  saveStart: (reservation) => saveStart(ledger, reservation),
  saveLive: (live) => saveLive(ledger, live),
  dropStart: (reservation) => dropStart(ledger, reservation),
});

async function recordEntry(trx: Transaction<LedgerTables>, { id, status, plan, events }: LedgerEntry): Promise<void> {
  const seq = Math.max(0, ...events.map((event) => event.seq));
  const moved = await moveStatus(trx, id, status, seq);
  if (plan !== undefined) await keepPlan(trx, id, plan);
  await projectEvents(trx, id, events);
  if (moved) await projectStages(trx, id, status);
}

/** Whether the status was newer than the kept one: a later event, or the same events and a later change. */
async function moveStatus(ledger: Ledger, id: string, status: Status, seq: number): Promise<boolean> {
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
async function keepPlan(trx: Transaction<LedgerTables>, id: string, plan: Plan): Promise<void> {
  const row = { plan: toJson(plan), plan_hash: plan.hash, spec_hash: plan.specHash, environment: plan.environment };
  await trx.updateTable('deployments').set(row).where('id', '=', id).execute();
}

async function saveLive(ledger: Ledger, { id, ...live }: LiveProgress): Promise<void> {
  const row = {
    stage: live.stage,
    rows: live.rows,
    total_rows: live.totalRows,
    rate: live.rate,
    seconds_to_go: live.secondsToGo,
    pace: live.pace,
    at: new Date(live.at),
  };
  await ledger
    .insertInto('live_progress')
    .values({ deployment: id, ...row })
    .onConflict((conflict) =>
      conflict
        .column('deployment')
        .doUpdateSet(row)
        .where((eb) => eb('excluded.at', '>=', eb.ref('live_progress.at'))),
    )
    .execute();
}
