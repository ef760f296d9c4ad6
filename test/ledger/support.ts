import { sql } from 'kysely';
import type { Known } from '../../contracts/messages.ts';
import { tablesOf } from '../../ledger/backup.ts';
import { turningPoints } from '../../contracts/notifications.ts';
import { createLedgerWriter, type Ledger, type LedgerWriter } from '../../ledger/index.ts';
import { createAnnouncer } from '../../worker/notify/announcer.ts';
import { deploymentOf, eventOf, liveOf } from '../api/support/deployment.ts';
import { testPlan } from '../support/plans.ts';

/** Every row of every table, as PostgreSQL writes it. */
export async function contentOf(ledger: Ledger): Promise<Readonly<Record<string, readonly string[]>>> {
  const content: Record<string, readonly string[]> = {};
  for (const table of await tablesOf(ledger)) {
    const { rows } = await sql<{ row: string }>`
      select row_to_json(t)::text as row from ${sql.table(`lakeshift_ledger.${table}`)} t order by 1`.execute(ledger);
    content[table] = rows.map(({ row }) => row);
  }
  return content;
}

const actor = { name: 'dora', role: 'approver', groups: ['dba'], via: 'api' };

/** A channel that is told of everything. */
export const toldAll = {
  kind: 'webhook',
  url: 'http://127.0.0.1:1',
  secret: null,
  on: turningPoints,
  isDefault: true,
} as const;

/** A writer whose outbox is for these channels. */
export const tellingWriter = (ledger: Ledger, ...channels: readonly string[]): LedgerWriter =>
  createLedgerWriter(ledger, createAnnouncer(Object.fromEntries(channels.map((name) => [name, toldAll]))));

/** Fills every table: some deployments with all kinds of events, odd texts and numbers, a reservation, a shown plan. */
export async function fillLedger(writer: LedgerWriter, deployments = 3): Promise<void> {
  for (let n = 1; n <= deployments; n += 1) {
    const id = `kept-${n.toString(16).padStart(8, '0')}`;
    const { plan, status } = deploymentOf(writer, id);
    const events = [
      eventOf({ seq: 1, kind: 'started', text: `\u2028 "quoted" \\ \u{1f600} \n line ${n}` }),
      eventOf({ seq: 2, kind: 'reading', data: { name: 'misfits', value: 0.1 + 0.2, unit: 'rows' } }),
      eventOf({ seq: 3, kind: 'verdict', data: { decision: 'hold', because: 'nobody could see' } }),
      eventOf({ seq: 4, kind: 'order', data: { order: 'pause', id: 'o1', actor, reason: 'lunch' } }),
      eventOf({ seq: 5, kind: 'approval', data: { actor, reason: 'fine', planHash: 'p', evidenceHash: null } }),
    ];
    await writer.record({ id, plan, status, events });
    await writer.saveLive({ ...liveOf(id, 2 ** 52, 1_700_000_000_123 + n), rate: 1 / 3 });
  }
  await writer.saveStart({
    id: 'reserved-00000001',
    plan: testPlan(),
    startedBy: 'ann',
    startedAt: 1_700_000_000_000,
    keyScope: 'ann',
    keyHash: 'key',
    attempt: crypto.randomUUID(),
  });
  await writer.savePlan(testPlan(), Date.now());
}

/** What a deployment of `events` events says of itself, `waiting` of them not yet recorded. */
export function knownOf(writer: LedgerWriter, id: string, events: number, waiting = 0): Known {
  const { plan, status } = deploymentOf(writer, id);
  const outbox = Array.from({ length: waiting }, (_, i) => eventOf({ seq: events - waiting + 1 + i, kind: 'finding' }));
  const desk = { paused: false, pausedBy: null, pending: null, takenIds: [] };
  return { plan, status, carried: { progress: status.progress, desk, eventSeq: events, outbox, planRecorded: true } };
}
