import type { Transaction } from 'kysely';
import type { DeploymentEvent, EventKind } from '../contracts/events.ts';
import type { Json, JsonObject } from '../contracts/json.ts';
import type { Status } from '../contracts/progress.ts';
import { storable, toJson } from './json.ts';
import type { LedgerTables } from './tables.ts';

type Tables = Transaction<LedgerTables>;

/**
 * Keeps events, and what stands in columns of each kind. An event that is there already changes nothing. Gives the numbers
 * of those that were not.
 */
export async function projectEvents(
  trx: Tables,
  deployment: string,
  events: readonly DeploymentEvent[],
): Promise<ReadonlySet<number>> {
  if (events.length === 0) return new Set();
  const rows = events.map((event) => ({
    ...keyOf(deployment, event),
    kind: event.kind,
    text: storable(event.text),
    data: toJson(event.data),
  }));
  const fresh = await trx
    .insertInto('events')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .returning('seq')
    .execute();
  for (const event of events) await projections[event.kind]?.(trx, deployment, event);
  return new Set(fresh.map(({ seq }) => seq));
}

/** Keeps the latest known of each stage. The caller has seen to it that the status is the newest one. */
export async function projectStages(trx: Tables, deployment: string, { progress }: Status): Promise<void> {
  if (progress.stages.length === 0) return;
  const rows = progress.stages.map((stage, position) => ({
    deployment,
    position,
    name: stage.name,
    state: stage.state,
    began_at: moment(stage.beganAt),
    ended_at: moment(stage.endedAt),
    note: text(stage.note),
    rows: stage.rows,
    total_rows: stage.totalRows,
  }));
  await trx
    .insertInto('stages')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['deployment', 'name']).doUpdateSet((eb) => ({
        state: eb.ref('excluded.state'),
        began_at: eb.ref('excluded.began_at'),
        ended_at: eb.ref('excluded.ended_at'),
        note: eb.ref('excluded.note'),
        rows: eb.ref('excluded.rows'),
        total_rows: eb.ref('excluded.total_rows'),
      })),
    )
    .execute();
}

type Projection = (trx: Tables, deployment: string, event: DeploymentEvent) => Promise<unknown>;

const order =
  (taken: boolean): Projection =>
  (trx, deployment, event) =>
    trx
      .insertInto('orders')
      .values({
        ...keyOf(deployment, event),
        ...actorOf(event.data),
        order_name: text(event.data['order']),
        order_id: text(event.data['id']),
        via: text(objectOf(event.data['actor'])['via']),
        reason: text(event.data['reason']),
        taken,
        refused_with: text(event.data['code']),
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute();

const approval =
  (counts: boolean): Projection =>
  (trx, deployment, event) =>
    trx
      .insertInto('approvals')
      .values({
        ...keyOf(deployment, event),
        ...actorOf(event.data),
        groups: toJson(objectOf(event.data['actor'])['groups'] ?? []),
        reason: text(event.data['reason']),
        plan_hash: text(event.data['planHash']),
        evidence_hash: text(event.data['evidenceHash']),
        counts,
        because: text(event.data['because']),
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute();

/** Kinds that have a table of their own besides the events. */
const projections: Readonly<Partial<Record<EventKind, Projection>>> = {
  order: order(true),
  'order-refused': order(false),
  approval: approval(true),
  'approval-refused': approval(false),
  reading: (trx, deployment, event) =>
    trx
      .insertInto('readings')
      .values({
        ...keyOf(deployment, event),
        name: text(event.data['name']),
        value: number(event.data['value']),
        unit: text(event.data['unit']),
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute(),
  verdict: (trx, deployment, event) =>
    trx
      .insertInto('verdicts')
      .values({
        ...keyOf(deployment, event),
        decision: text(event.data['decision']),
        because: text(event.data['because']),
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute(),
};

const keyOf = (deployment: string, { seq, at, stage }: DeploymentEvent) => ({
  deployment,
  seq,
  stage,
  at: new Date(at),
});
const actorOf = (data: JsonObject) => {
  const actor = objectOf(data['actor']);
  return { actor: text(actor['name']) ?? text(data['actor']), role: text(actor['role']) };
};
const objectOf = (value: Json | undefined): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}; // no list: an object
const text = (value: Json | undefined): string | null => (typeof value === 'string' ? storable(value) : null);
const number = (value: Json | undefined): number | null => (typeof value === 'number' ? value : null);
const moment = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));
