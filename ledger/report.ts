import { sql } from 'kysely';
import type { Report } from '../contracts/api.ts';
import type { DeploymentEvent, EventKind } from '../contracts/events.ts';
import type { JsonObject } from '../contracts/json.ts';
import type { Plan } from '../contracts/plan.ts';
import type { Felt, StageProgress, Status } from '../contracts/progress.ts';
import type { Ledger } from './connect.ts';

/** Kinds of events that are decisions, or that somebody decided about. */
const decisive: readonly EventKind[] = [
  'started',
  'verdict',
  'breaker',
  'order',
  'order-refused',
  'approval',
  'approval-refused',
  'parked',
  'way-back',
  'evidence',
  'undo-began',
  'ended',
  'rebuilt',
];

/** What happened to one deployment, from the ledger alone; null when the ledger has no plan of it. */
export async function readReport(ledger: Ledger, id: string): Promise<Report | null> {
  const row = await ledger
    .selectFrom('deployments')
    .select(['plan', 'status'])
    .where('id', '=', id)
    .where('plan', 'is not', null)
    .where('status', 'is not', null)
    .executeTakeFirst();
  if (row === undefined) return null;
  const status = row.status as Status; // `record` writes nothing else
  return {
    id,
    plan: row.plan as Plan, // `saveStart` writes nothing else
    outcome: status.progress.outcome,
    phase: status.phase,
    stages: status.progress.stages.map(stageOf),
    decisions: await decisions(ledger, id),
    approvals: await approvals(ledger, id),
    traffic: status.progress.traffic ?? null,
    shadow: status.progress.shadow ?? null,
    application: applicationOf(status.progress.felt ?? null, await longestLock(ledger, id)),
  };
}

/** 0 errors are caused where they were counted and there were none; of any other number nobody knows whose they were. */
const applicationOf = (felt: Felt | null, longestLockMs: number | null): Report['application'] => ({
  errorsCaused: felt?.errors === 0 && felt.deadlocks === 0 ? 0 : null,
  longestLockMs,
  felt,
});

const stageOf = ({ name, state, beganAt, endedAt, rows, note }: StageProgress): Report['stages'][number] => ({
  name,
  state,
  ms: beganAt === null || endedAt === null ? null : endedAt - beganAt,
  rows,
  note,
});

async function decisions(ledger: Ledger, id: string): Promise<readonly DeploymentEvent[]> {
  const rows = await ledger
    .selectFrom('events')
    .select(['seq', 'at', 'kind', 'stage', 'text', 'data'])
    .where('deployment', '=', id)
    .where('kind', 'in', decisive)
    .orderBy('seq')
    .execute();
  return rows.map(({ at, kind, data, ...event }) => ({
    ...event,
    at: at.getTime(),
    kind: kind as EventKind, // chosen from `decisive` above
    data: data as JsonObject, // `record` writes nothing else
  }));
}

async function approvals(ledger: Ledger, id: string): Promise<Report['approvals']> {
  const rows = await ledger
    .selectFrom('approvals')
    .select(['stage', 'actor', 'at', 'reason'])
    .where('deployment', '=', id)
    .where('counts', '=', true)
    .orderBy('at')
    .orderBy('seq')
    .execute();
  return rows.map(({ stage, actor, at, reason }) => ({
    stage: stage ?? '',
    by: actor ?? '',
    at: at.getTime(),
    reason: reason ?? '',
  }));
}

/** The longest that a statement of ours held or waited for the table's lock, ms; null: no stage said. */
async function longestLock(ledger: Ledger, id: string): Promise<number | null> {
  const { longest } = await ledger
    .selectFrom('events')
    .select(sql<number | null>`max((data ->> 'lockMs')::double precision)`.as('longest'))
    .where('deployment', '=', id)
    .executeTakeFirstOrThrow();
  return longest;
}
