import type { JsonObject } from './json.ts';
import type { Plan } from './plan.ts';
import type { Status } from './progress.ts';

/** The kinds of things that happen to a deployment; each is one row in the ledger and one event of the stream. */
export const eventKinds = [
  'started',
  'stage-began',
  'stage-ended',
  'reading',
  'verdict',
  'finding',
  'order',
  'order-refused',
  'approval',
  'approval-refused',
  'waiting',
  'parked',
  'way-back',
  'evidence',
  'undo-began',
  'undo-ended',
  'ended',
  'rebuilt',
  'breaker',
] as const;
export type EventKind = (typeof eventKinds)[number];

/** One thing that happened. `seq` rises by one within a deployment and is assigned by its workflow. */
export interface DeploymentEvent {
  readonly seq: number;
  /** Epoch ms. */
  readonly at: number;
  readonly kind: EventKind;
  readonly stage: string | null;
  /** One line for people. */
  readonly text: string;
  readonly data: JsonObject;
}

/** What the workflow hands to the ledger at once: new events, and the status after them. Safe to repeat. */
export interface LedgerEntry {
  readonly id: string;
  readonly status: Status;
  /** The plan, until an entry with it was taken; absent afterwards. */
  readonly plan?: Plan;
  readonly events: readonly DeploymentEvent[];
}

/** What a running backfill or check says of itself each second; overwritten, not kept. */
export interface LiveProgress {
  readonly id: string;
  readonly stage: string;
  readonly rows: number;
  readonly totalRows: number | null;
  /** Rows per second over the last seconds; null when not measured. */
  readonly rate: number | null;
  /** Seconds to go at this rate; null when not known. */
  readonly secondsToGo: number | null;
  /** Why it goes at this speed: `full speed`, `gives way to the application`, `bounded to 500 rows/s`… */
  readonly pace: string;
  readonly at: number;
}
