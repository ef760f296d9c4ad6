import type { OrderName, Role } from './catalog.ts';
import type { Plan } from './plan.ts';
import type { Carried, Status } from './progress.ts';
import type { ClusterLooks } from './cluster-facts.ts';
import type { ModelLooks } from './model.ts';
import type { TableSpec } from './spec.ts';

/** Who did something, and how we know. */
export interface Actor {
  readonly name: string;
  readonly role: Role;
  readonly groups: readonly string[];
  /** `temporal`: came as a signal or update that the API did not send; the name is only claimed. */
  readonly via: 'api' | 'temporal';
}

interface OrderBase {
  readonly actor: Actor;
  readonly reason: string;
  /** Name of the stage at which the sender believes the deployment to be. */
  readonly stage: string;
  /** The sender's own id of this order; a second one with the same id is a repetition. */
  readonly id: string;
}

/** An approval or a rejection is bound to what was approved, and signed by the API. */
export interface ApprovalOrder extends OrderBase {
  readonly planHash: string;
  /** The hash of the evidence that was shown, when the stage gathers any. */
  readonly evidenceHash: string | null;
  /** HMAC-SHA-256 by the API over what `approvalText` gives; absent when it came from elsewhere. */
  readonly signature: string | null;
}

export interface ExtendOrder extends OrderBase {
  /** Milliseconds that the grace is longer. */
  readonly byMs: number;
}

export interface SetRateOrder extends OrderBase {
  /** At the most; null: no bound of ours. */
  readonly rowsPerSecond: number | null;
}

/** What each order carries. `skip` ends grace early and counts as an approval, so it is signed like one. */
export interface Orders {
  readonly pause: OrderBase;
  readonly resume: OrderBase;
  readonly approve: ApprovalOrder;
  readonly reject: ApprovalOrder;
  readonly abort: OrderBase;
  readonly rollback: OrderBase;
  readonly retry: OrderBase;
  readonly skip: ApprovalOrder;
  readonly extend: ExtendOrder;
  readonly setRate: SetRateOrder;
}

export type Order = { [N in OrderName]: { readonly order: N } & Orders[N] }[OrderName];

/** Shown in the Temporal UI beside each update and signal. */
export const orderDescriptions: Readonly<Record<OrderName, string>> = {
  pause: 'Stop after the present chunk and wait for resume',
  resume: 'Go on after a pause',
  approve: 'Let the waiting stage begin; bound to the plan hash, counts only with the signature of the API',
  reject: 'Refuse the waiting stage and take everything back',
  abort: 'Interrupt what runs and take everything back',
  rollback: 'Let the present turn end, then take everything back',
  retry: 'Try the parked stage again',
  skip: 'End the grace period now; counts as an approval',
  extend: 'Make the grace period longer',
  setRate: 'Bound the backfill, in rows per second',
};

/** Names on the wire. Orders use their own names, as update and as signal. */
export const acceptUpdate = 'accept';
export const statusQuery = 'status';
export const knownQuery = 'known';

/** The argument of a deployment workflow. */
export interface DeploymentInput {
  readonly id: string;
  readonly plan: Plan;
  readonly startedBy: Actor;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** Present after continue-as-new. */
  readonly carried?: Carried;
  /** Prefix of the search attributes that are kept; absent or null: none are. */
  readonly searchAttributePrefix?: string | null;
  /** History events after which a run hands over to the next one; default 4,000. */
  readonly handOverAfter?: number;
}

/** Everything that a deployment knows of itself: what a ledger that was lost is rebuilt from. */
export interface Known {
  readonly plan: Plan;
  readonly status: Status;
  readonly carried: Carried;
}

/** The argument of the inspect workflow. */
export type InspectInput = InspectTable | InspectCluster | InspectModel;

export interface InspectTable {
  readonly spec: TableSpec;
  readonly dialect: 'postgres';
  readonly homeSchema: string;
}

export interface InspectModel {
  readonly target: string;
  readonly dialect: 'mlflow';
  readonly looks: ModelLooks;
}

export interface InspectCluster {
  readonly target: string;
  readonly dialect: 'kubernetes';
  readonly looks: ClusterLooks;
}
