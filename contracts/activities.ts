import type { JsonObject, Row } from './json.ts';
import type { LedgerEntry } from './events.ts';
import type { ApprovalOrder } from './messages.ts';
import type { Alteration, BackfillStage, IndexBuild, PartPlan, RowCheck, ShadowStage, Statement } from './plan.ts';
import type { OrderName, Phase } from './catalog.ts';
import type { Felt } from './progress.ts';
import type { ClusterFacts, ClusterLooks } from './cluster-facts.ts';
import type { HeldModel, ModelFacts, ModelLooks, ModelQuestion, ModelState } from './model.ts';
import type { Probe } from './gate.ts';
import type { Route, RouteState, Seen, SeenShare } from './route.ts';
import type { Coordinator, FollowUps, QueryCount } from './running.ts';
import type { ShadowFacts } from './shadow.ts';
import type { WatchFacts, WatchInput } from './watching.ts';
import type { Candidate, HeldAutoscaler, HeldObject, RollStatus, WorkloadRef } from './workload.ts';

export type * from './watching.ts';

/** Where an effect takes place and in whose name. */
export interface Site {
  readonly deployment: string;
  readonly target: string;
  /** Our own schema in a database; empty in a cluster. */
  readonly homeSchema: string;
  /** The effect's turn; the target refuses one that is older than the latest it has seen. */
  readonly turn: number;
  /** What is held in a cluster; absent: the target is a database. */
  readonly objects?: readonly HeldObject[];
  /** What is held in a registry; absent: the target is none. */
  readonly model?: HeldModel;
}

/** What one statement of a look gave. */
export type LookResult =
  | { readonly ok: true; readonly rows: readonly Row[] }
  | {
      readonly ok: false;
      /** SQLSTATE. */
      readonly code: string;
      /** The identifier that the server did not know, when it named one. */
      readonly name: string | null;
    };

export interface LookInput {
  readonly target: string;
  readonly statements: readonly Statement[];
  /** `read-only`: one read-only transaction. `discard`: temporary objects are made, and all is rolled back. */
  readonly mode: 'read-only' | 'discard';
}

export type ClaimResult = { readonly held: true } | { readonly held: false; readonly holder: string };

/** What a slice of a backfill did. */
export interface BackfillFacts {
  readonly finished: boolean;
  /** Rows rewritten so far by the whole deployment. */
  readonly rows: number;
  readonly paused: boolean;
  /** Page ranges put aside because the application held their rows; all done when finished. */
  readonly deferred: number;
  readonly pace: string;
  /** What the application felt during this slice; absent from workers of before. */
  readonly felt?: Felt;
  /** For how long the source of the application's p99 has given no data, ms; absent or 0: it gives some. */
  readonly blindForMs?: number;
  /** Why it gives none. */
  readonly blindBecause?: string | null;
  /** Share of the rewritten rows that touched no index, 0 to 1; null or missing: not measured. */
  readonly hotShare?: number | null;
  /** What was noticed on the way: gone over again and why, striping left and why. */
  readonly notes?: readonly string[];
}

/** What a row check saw. */
export interface CheckFacts {
  readonly finished: boolean;
  readonly seen: number;
  readonly wrong: number;
  readonly lossy: number;
  readonly keys: readonly string[];
}

export interface AlterFacts {
  /** False: it was already in place. */
  readonly changed: boolean;
  /** Longest time that a statement held or waited for the lock, ms. */
  readonly lockMs: number;
  readonly tries: number;
}

export interface BuildFacts {
  /** False: it was there already. */
  readonly built: boolean;
}

/** Where an alias points after an effect; null: there is no such alias. */
export interface AliasFacts {
  readonly version: string | null;
}

export interface DeploymentLookup {
  readonly id: string;
  readonly phase: Phase;
}

/** Everything a workflow may ask of the world. Facts in, facts out; each is safe to repeat. */
export interface Activities {
  /** Runs catalog looks in the target. */
  look(input: LookInput): Promise<Readonly<Record<string, LookResult>>>;
  /** Takes the lock row of the plan's table in the target, creating our schema there if need be. */
  claim(input: { readonly site: Site; readonly plan: PartPlan }): Promise<ClaimResult>;
  /** From here on only the columns are held, not the whole table; or the whole table again. */
  holdColumnsOnly(input: { readonly site: Site; readonly columnsOnly: boolean }): Promise<ClaimResult>;
  /** Gives the lock back and removes what is ours in the target. */
  release(input: { readonly site: Site }): Promise<void>;
  /** Raises the fence and cancels the statement that is recorded as running. The first act of every undo. */
  raiseFence(input: { readonly site: Site }): Promise<void>;
  /** Writes pause and rate into the target, where a running backfill sees them with its next chunk. */
  steer(input: { readonly site: Site; readonly paused: boolean; readonly rate: number | null }): Promise<void>;
  /** Runs one DDL transaction behind the fence, under a ladder of short lock timeouts. */
  alter(input: { readonly site: Site; readonly stage: string; readonly alteration: Alteration }): Promise<AlterFacts>;
  /** Runs statements that take long and lock little, outside a transaction. */
  alterLong(input: { readonly site: Site; readonly statements: readonly Statement[] }): Promise<void>;
  /** Makes one index beside the application's work; removes and repeats what an earlier attempt left unfinished. */
  buildIndex(input: { readonly site: Site; readonly stage: string; readonly index: IndexBuild }): Promise<BuildFacts>;
  /** Works on chunks for one slice of time. */
  backfill(input: {
    readonly site: Site;
    readonly stage: BackfillStage;
    readonly rows: number | null;
  }): Promise<BackfillFacts>;
  /** Goes over all rows, for one slice of time; goes on where the last slice ended. */
  checkRows(input: CheckRowsInput): Promise<CheckFacts>;
  /** Looks at workloads, Services and the route of a spec in a cluster. */
  lookCluster(input: { readonly target: string; readonly looks: ClusterLooks }): Promise<ClusterFacts>;
  /** Looks at a model, its versions and aliases, and at the route of a spec. */
  lookModel(input: { readonly target: string; readonly looks: ModelLooks }): Promise<ModelFacts>;
  /** Reads where aliases point and what versions are. */
  readModel(input: { readonly target: string; readonly question: ModelQuestion }): Promise<ModelState>;
  /** Points an alias at a version, or removes it (null), if it is where `from` says, and reads it back. */
  setAlias(input: {
    readonly site: Site;
    readonly alias: string;
    readonly version: string | null;
    readonly from: string | null;
  }): Promise<AliasFacts>;
  /** Applies fields of a workload in our name. */
  applyWorkload(input: {
    readonly site: Site;
    readonly workload: WorkloadRef;
    readonly apply: JsonObject;
  }): Promise<void>;
  /** Follows a rollout for one slice of time. */
  awaitRollout(input: {
    readonly target: string;
    readonly workload: WorkloadRef;
    readonly sliceMs: number;
    /** So many new pods are enough; absent: all. */
    readonly pods?: number;
    /** It is not over while a pod is still ending; absent: those count no more. */
    readonly alone?: boolean;
  }): Promise<RollStatus>;
  /** Removes pods of a StatefulSet that wait to be replaced and never become ready; how many. */
  removeBroken(input: { readonly site: Site; readonly workload: WorkloadRef }): Promise<number>;
  /** Stops a rollout where it is, or lets it go on. */
  holdRollout(input: { readonly site: Site; readonly workload: WorkloadRef; readonly paused: boolean }): Promise<void>;
  /** Keeps an autoscaler from scaling down, or lets it scale as before. */
  setScaling(input: {
    readonly site: Site;
    readonly autoscaler: HeldAutoscaler;
    readonly held: boolean;
  }): Promise<void>;
  /** Brings a candidate up, or has it as it should be. */
  standUp(input: { readonly site: Site; readonly candidate: Candidate }): Promise<void>;
  /** Removes a candidate. */
  takeDown(input: { readonly site: Site; readonly candidate: Candidate }): Promise<void>;
  /** Has a workload that is held run so many pods. */
  scaleWorkload(input: {
    readonly site: Site;
    readonly workload: WorkloadRef;
    readonly replicas: number;
  }): Promise<void>;
  /** Sets the candidate's share of the traffic and reads it back. */
  setWeight(input: { readonly site: Site; readonly route: Route; readonly weight: number }): Promise<RouteState>;
  /** Counts where requests go. */
  observeTraffic(input: { readonly seen: Seen }): Promise<SeenShare>;
  /** Looks at a route and at the windows of a gate since a moment, after waiting for a while. */
  watchTraffic(input: WatchInput): Promise<WatchFacts>;
  /** Asks once whether a side answers; what is wrong, or null. */
  probeSide(input: { readonly probe: Probe }): Promise<string | null>;
  /** Asks both sides of a shadow for one slice of time, or until enough has been compared. */
  compareSides(input: CompareInput): Promise<ShadowFacts>;
  /** Counts the queries of a coordinator until there is none, or for one slice of time. */
  followQueries(input: { readonly coordinator: Coordinator; readonly sliceMs: number }): Promise<QueryCount>;
  /** Has follow-up requests go to the coordinator that knows the query. */
  keepFollowUps(input: KeepFollowUpsInput): Promise<FollowUpFacts>;
  /** Takes that back. */
  dropFollowUps(input: { readonly site: Site; readonly followUps: FollowUps }): Promise<void>;
  /** Follows a statement of each side through the address of the clients; what is wrong, or null. */
  traceFollowUps(input: { readonly followUps: FollowUps }): Promise<string | null>;
  /** Writes events and status into the ledger. */
  record(entry: LedgerEntry): Promise<void>;
  /** Whether an approval carries the signature of the API, or the configuration trusts Temporal. */
  checkApproval(input: {
    readonly deployment: string;
    readonly order: OrderName;
    readonly approval: ApprovalOrder;
  }): Promise<{ readonly counts: boolean; readonly because: string }>;
  /** Finds the latest deployment by id or name in the ledger; null: there is none. */
  findDeployment(input: { readonly idOrName: string }): Promise<DeploymentLookup | null>;
}

export interface CheckRowsInput {
  readonly site: Site;
  readonly stage: string;
  readonly check: RowCheck;
  /** Different for each new pass; equal when an earlier slice is continued. */
  readonly pass: string;
  readonly rows: number | null;
  readonly sliceMs: number;
}

export interface CompareInput {
  readonly deployment: string;
  readonly target: string;
  readonly stage: ShadowStage;
  /** The place of the request to begin with. */
  readonly next: number;
  /** How many comparisons are wanted. */
  readonly wanted: number;
}

export interface KeepFollowUpsInput {
  readonly site: Site;
  readonly followUps: FollowUps;
  /** Every side has to say who it is; else one that does not answer is left as it is. */
  readonly all: boolean;
}

export interface FollowUpFacts {
  /** Names of the sides whose coordinator did not say who it is. */
  readonly silent: readonly string[];
}
