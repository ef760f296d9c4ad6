import type { ColumnType, Generated } from 'kysely';

/** A moment: epoch milliseconds as a Date on the way in and out. */
type Moment = ColumnType<Date, Date, Date>;
/** JSON: written as text, read as whatever was written. */
type Stored<T> = ColumnType<T, string, string>;

/** One deployment. Without a status it is only reserved: its workflow has not reported yet. */
export interface DeploymentTable {
  id: string;
  name: string;
  target: string;
  strategy: string;
  environment: string | null;
  spec_hash: string | null;
  plan_hash: string;
  plan: Stored<unknown> | null;
  status: Stored<unknown> | null;
  phase: string | null;
  stage: string | null;
  started_by: string;
  started_at: Moment;
  changed_at: Moment | null;
  seq: number;
  /** Who asked, and the hash of the key under which it was asked. */
  key_scope: string | null;
  key_hash: string | null;
  /** Which request made the reservation. */
  attempt: string | null;
}

/** One thing that happened; everything else here can be made of these. */
export interface EventTable {
  deployment: string;
  seq: number;
  at: Moment;
  kind: string;
  stage: string | null;
  text: string;
  data: Stored<unknown>;
  recorded_at: Generated<Date>;
}

/** The latest known of each stage. */
export interface StageTable {
  deployment: string;
  name: string;
  position: number;
  state: string;
  began_at: Moment | null;
  ended_at: Moment | null;
  note: string | null;
  rows: number | null;
  total_rows: number | null;
}

interface FactTable {
  deployment: string;
  seq: number;
  at: Moment;
  stage: string | null;
}

/** A fact that was measured; a null value: nobody could see. */
export interface ReadingTable extends FactTable {
  name: string | null;
  value: number | null;
  unit: string | null;
}

/** What was decided about readings. */
export interface VerdictTable extends FactTable {
  decision: string | null;
  because: string | null;
}

/** What an operator ordered, taken or refused. */
export interface OrderTable extends FactTable {
  order_name: string | null;
  order_id: string | null;
  actor: string | null;
  role: string | null;
  via: string | null;
  reason: string | null;
  taken: boolean;
  refused_with: string | null;
}

/** Who approved what, on what evidence, and whether it counts. */
export interface ApprovalTable extends FactTable {
  actor: string | null;
  role: string | null;
  groups: Stored<unknown> | null;
  reason: string | null;
  plan_hash: string | null;
  evidence_hash: string | null;
  counts: boolean;
  because: string | null;
}

/** What a running stage says of itself; overwritten each second. */
export interface LiveTable {
  deployment: string;
  stage: string;
  rows: number;
  total_rows: number | null;
  rate: number | null;
  seconds_to_go: number | null;
  pace: string;
  at: Moment;
}

/** A plan that was shown; the same plan again is the same row. */
export interface PlanTable {
  hash: string;
  spec_hash: string;
  name: string;
  target: string;
  plan: Stored<unknown>;
  made_at: Moment;
}

/** One message for one channel. */
export interface OutboxTable {
  deployment: string;
  seq: number;
  channel: string;
  message: Stored<unknown>;
  state: Generated<'waiting' | 'sent' | 'given-up'>;
  /** The receiver has read it and did not want it: what comes after it does not wait for it. */
  refused: Generated<boolean>;
  tries: Generated<number>;
  noted_at: Generated<Date>;
  /** When it is due; while it is being sent, when another worker may take it. */
  next_at: Generated<Date>;
  ended_at: Moment | null;
  /** What the last answer was. */
  answer: string | null;
}

/** All tables of the ledger. */
export interface LedgerTables {
  deployments: DeploymentTable;
  plans: PlanTable;
  events: EventTable;
  stages: StageTable;
  readings: ReadingTable;
  verdicts: VerdictTable;
  orders: OrderTable;
  approvals: ApprovalTable;
  live_progress: LiveTable;
  outbox: OutboxTable;
}
