import type { StageKind } from './catalog.ts';
import type { JsonObject } from './json.ts';
import type { Dependency, Gate, Probe } from './gate.ts';
import type { ModelHolds } from './model.ts';
import type { Route, Seen } from './route.ts';
import type { RunningQueries } from './running.ts';
import type { Batch, Candidate, HeldAutoscaler, PlannedWorkload, WorkloadRef } from './workload.ts';
import type { ShadowStage } from './shadow-stage.ts';
import type { StageBase } from './stage-base.ts';
import type { Protection } from './protection.ts';
import type { Alteration, BuildStep, RowCheck, Statement, VacuumRule } from './statements.ts';
import type { DrainStage, KeepStage } from './old-side-stages.ts';

export type * from './old-side-stages.ts';

export interface PreflightStage extends StageBase {
  readonly kind: 'preflight';
  /** Catalog looks, answered by rows; judged by `decisions/judge-preflight.ts`. */
  readonly looks: readonly Statement[];
  /** Every row through `up` and `down`; null when no change has an expression. */
  readonly everyRow: RowCheck | null;
}

export interface ExpandStage extends StageBase {
  readonly kind: 'expand';
  readonly perform: Alteration;
  readonly undo: readonly Alteration[];
  /** Statements outside any short lock, run last in an undo (validating a constraint). */
  readonly undoLong: readonly Statement[];
}

export interface BackfillStage extends StageBase {
  readonly kind: 'backfill';
  /** False: no change needs existing rows rewritten; the stage then only says so. */
  readonly needed: boolean;
  /** Session settings of the backfill's connection. */
  readonly session: readonly Statement[];
  /**
   * Each heap in at most so many ranges of at least so many pages, and as many connections when nobody else is there;
   * missing in older plans: one. Of a partitioned table the chunk's SQL names the leaf `{heap}` and its oid `{oid}`.
   */
  readonly shards?: { readonly atMost: number; readonly minPages: number };
  /**
   * One chunk: `$1` deployment, `$2` shard, `$3` expected seq, `$4` fence, `$5` next page, `$6` next pass, `$7::tid` from
   * (inclusive), `$8::tid` to (exclusive), `{part}` which rows (in plans without `parts`: `$9` how many stripes, `$10` which; with `cuts`: the parts from `$9` to below `$10`). One row `rows`, `total`, `paused`, `rate`; none:
   * the fence was lost or the chunk was already applied.
   */
  readonly chunk: Statement;
  /** A row for each heap: `pages`, `filenode`, `guarded`; with `shards` also `heap` (oid; null: none), `name`, `fault`, `guard`. */
  readonly barrier: Statement;
  /** One row: `held_by` (who holds back pruning since transaction `$1`), `unseen` (somebody can't be seen), `now`. */
  readonly horizon?: Statement;
  /** Sessions of others that are at work; one row `busy`, null when they can't be seen. */
  readonly presence: Statement;
  /** What else is looked at each second; absent in plans of before: nothing. */
  readonly signals?: readonly Statement[];
  /** How the application's p99 is kept under a bound; null or absent: it is not measured. */
  readonly protect?: Protection | null;
  /** When the indexes are cleared of what our updates left dead there; absent: never, that is autovacuum's. */
  readonly vacuum?: VacuumRule;
  /** How many passes go over one super-chunk; 1: plain order. */
  readonly stripes: number;
  /** SQL: which rows each pass takes. Absent in plans of before. */
  readonly parts?: readonly string[];
  /** In plans of before: where one pass ends and the next begins, in parts of a page's rows; missing: equal stripes. */
  readonly cuts?: readonly number[];
  /** Pages of a super-chunk. */
  readonly superPages: number;
  readonly rowsPerPage: number;
  /** Rows per second at the most, or null. */
  readonly rate: number | null;
  /** How long one activity works before it hands back, ms. */
  readonly sliceMs: number;
}

/**
 * Makes on the new columns what hangs on the old ones, and has the server read them for its statistics; in plans where a
 * column replaces another one. What is made has names of ours until it takes the old one's place.
 */
export interface BuildStage extends StageBase {
  readonly kind: 'build';
  /** In order. */
  readonly steps: readonly BuildStep[];
  /** What would not go with the new columns. */
  readonly undo: readonly Alteration[];
}

export interface VerifyStage extends StageBase, GoesBack {
  readonly kind: 'verify';
  readonly check: RowCheck | null;
}

/** A stage that looks at what an earlier one has done. */
interface GoesBack {
  /** Name of the stage from which a retry goes on when rows differ; absent, as in plans of before: from this one. */
  readonly retryFrom?: string;
}

export interface CutoverStage extends StageBase, GoesBack {
  readonly kind: 'cutover';
  readonly perform: Alteration;
  /** Statements that take long and lock little, run after `perform` (validating a constraint); absent: none. */
  readonly performLong?: readonly Statement[];
  readonly undo: readonly Alteration[];
  /** Every row, once more, when it has waited for a person or a deployment; absent in plans of before. */
  readonly check?: RowCheck | null;
  /** A deployment (name or id) that must have been deployed first, or null. */
  readonly after: string | null;
  /** One row `misfits`: writes that the old shape could not hold so far. */
  readonly wayBack: Statement;
}

export interface GraceStage extends StageBase {
  readonly kind: 'grace';
  readonly forMs: number;
  readonly wayBack: Statement;
  /** The same row check as `verify`, run at a decaying pace; null when there is nothing to compare. */
  readonly check: RowCheck | null;
  /** How long after the cutover each look comes, ms; the last one repeats. */
  readonly cadenceMs: readonly number[];
}

export interface ContractStage extends StageBase {
  readonly kind: 'contract';
  readonly perform: Alteration;
  /** Who still uses the old shape: catalog looks, the evidence that an approval is bound to. */
  readonly evidence: readonly Statement[];
  /** The last full comparison before the old shape goes. */
  readonly check: RowCheck | null;
  /** Statements that take long and lock little, run after `perform`; absent: none. */
  readonly performLong?: readonly Statement[];
}

/** Pods of another template, a few at a time, as Kubernetes itself rolls a workload out. */
export interface RollStage extends StageBase {
  readonly kind: 'roll';
  readonly workload: PlannedWorkload;
  /** What is applied, server-side and in our name; of the Deployment only these fields become ours. */
  readonly apply: JsonObject;
  /** What the undo applies: the same fields as they were. */
  readonly back: JsonObject;
  /** It ends with so many new pods; absent: with all, and Kubernetes itself says when it stands still. */
  readonly batch?: Batch;
}

/** Brings the candidate up beside the stable side; until it is ready nothing is sent there. */
export interface CandidateStage extends StageBase {
  readonly kind: 'candidate';
  readonly candidate: Candidate;
}

/** Asks the side that is to come until it answers so many times in a row. */
export interface ValidateStage extends StageBase {
  readonly kind: 'validate';
  readonly probes: readonly Probe[];
  readonly tries: number;
  readonly everyMs: number;
  /** After a bad answer each wait is twice as long as the last one, up to this, ms; absent: they are all the same. */
  readonly backoffMs?: number;
  /** In a row. */
  readonly needs: number;
}

/** Another share of the traffic for the candidate: ready before, read back, seen in the traffic, watched. */
export interface ShiftStage extends StageBase {
  readonly kind: 'shift';
  readonly route: Route;
  /** Whole percent on the candidate. */
  readonly weight: number;
  /** Where the undo brings it. */
  readonly back: number;
  /** Who has to have how many pods before; null: nobody. */
  readonly scale: { readonly workload: WorkloadRef; readonly replicas: number } | null;
  /** Null: only the route is read back. */
  readonly seen: Seen | null;
  /** How often the traffic is looked at before it is said to be elsewhere, and how long to wait in between, ms. */
  readonly looks?: { readonly most: number; readonly everyMs: number };
  /** The least time at this weight, ms. */
  readonly forMs: number;
  /** Between two looks, ms. */
  readonly everyMs: number;
  readonly gate: Gate | null;
  /** What becomes of queries that run on the side that is left; absent: nothing is known of any. */
  readonly running?: RunningQueries;
  /** What a failed check leads to: all is taken back, it stays and a person is called, or that weight and a person. */
  readonly onFail: 'rollback' | 'hold' | { readonly weight: number };
  /** What has to stay as it is in the registry meanwhile; absent: there is none. */
  readonly holds?: ModelHolds;
  /** Without one of them everything goes to the stable side until it is back; absent: it has none. */
  readonly dependencies?: readonly Dependency[];
}

/** Removes the candidate once nothing is sent there. */
export interface RetireStage extends StageBase {
  readonly kind: 'retire';
  readonly candidate: Candidate;
}

/** Has autoscalers scale up only, or lets them scale as they did before. */
export interface ScalingStage extends StageBase {
  readonly kind: 'scaling';
  readonly held: boolean;
  readonly autoscalers: readonly HeldAutoscaler[];
}

/** Points an alias of a model at another version. */
export interface AliasStage extends StageBase {
  readonly kind: 'alias';
  readonly alias: string;
  readonly version: string;
  /** Where it points until then, and again after the undo; null: there is no such alias. */
  readonly before: string | null;
  /** What has to be as it was planned when it begins. */
  readonly holds: ModelHolds;
}

export type Stage =
  | AliasStage
  | ScalingStage
  | RollStage
  | CandidateStage
  | ValidateStage
  | ShiftStage
  | KeepStage
  | DrainStage
  | RetireStage
  | ShadowStage
  | PreflightStage
  | ExpandStage
  | BackfillStage
  | BuildStage
  | VerifyStage
  | CutoverStage
  | GraceStage
  | ContractStage;
export type StageOf<K extends StageKind> = Extract<Stage, { kind: K }>;
