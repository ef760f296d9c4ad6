import type { Transaction } from 'kysely';
import type { LedgerEntry, LiveProgress } from '../contracts/events.ts';
import type { Known } from '../contracts/messages.ts';
import type { Plan } from '../contracts/plan.ts';
import type { Status } from '../contracts/progress.ts';
import type { Ledger } from './connect.ts';
import { createPlanKeeper } from './plans.ts';
import { keepPlan, moveStatus } from './move-status.ts';
import { fillOutbox, type Announcer } from './outbox.ts';
import { projectEvents, projectStages } from './project.ts';
import { rebuildDeployment, type Rebuilt } from './rebuild.ts';
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
  /** Writes back what a deployment knows of itself, as far as it is not here; `at` (epoch ms) is now. */
  rebuild(known: Known, at: number): Promise<Rebuilt>;
  /** Overwrites what a running stage says of itself, unless a later word is there. */
  saveLive(live: LiveProgress): Promise<void>;
}

/** The writer over a connected ledger. With an announcer, what is new and worth telling goes into the outbox as well. */
export const createLedgerWriter = (ledger: Ledger, announcer?: Announcer): LedgerWriter => ({
  record: (entry) => ledger.transaction().execute((trx) => recordEntry(trx, entry, announcer)),
  async recordAccepted(status) {
    await moveStatus(ledger, status.id, status, 0);
  },
  savePlan: createPlanKeeper(ledger),
  saveStart: (reservation) => saveStart(ledger, reservation),
  rebuild: (known, at) => ledger.transaction().execute((trx) => rebuildDeployment(trx, known, at)),
  saveLive: (live) => saveLive(ledger, live),
  dropStart: (reservation) => dropStart(ledger, reservation),
});

async function recordEntry(
  trx: Transaction<LedgerTables>,
  { id, status, plan, events }: LedgerEntry,
  announcer: Announcer | undefined,
): Promise<void> {
  const seq = Math.max(0, ...events.map((event) => event.seq));
  const moved = await moveStatus(trx, id, status, seq);
  if (plan !== undefined) await keepPlan(trx, id, plan);
  const fresh = await projectEvents(trx, id, events);
  if (announcer !== undefined) {
    await fillOutbox(
      trx,
      status,
      events.filter(({ seq }) => fresh.has(seq)),
      announcer,
    );
  }
  if (moved) await projectStages(trx, id, status);
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
