import type { FailurePolicy, FindingLevel, Strategy } from './catalog.ts';
import type { TableFacts } from './facts.ts';
import type { HeldModel, ModelFacts } from './model.ts';
import type { ModelSpec } from './model-spec.ts';
import type { ReleaseSpec } from './release-spec.ts';
import type { JointSpec, TableSpec } from './spec.ts';
import type { ClusterFacts } from './cluster-facts.ts';
import type { PlannedObject } from './workload.ts';
import type { Stage } from './stages.ts';

export type * from './shadow-stage.ts';
export type * from './stages.ts';
export type * from './statements.ts';
export type { Batch, PlannedObject, PlannedWorkload } from './workload.ts';

/**
 * The ordered stages that will be done, with every SQL statement in them: plain data, made once by
 * `decisions/plan-deployment.ts`, shown before it runs, and the workflow's argument.
 */
export type Plan = PartPlan | JointPlan;

/** Of one thing in one target. */
export type PartPlan = TablePlan | ReleasePlan | ModelPlan;

/** Of a table in a database. */
export interface TablePlan extends PlanBase {
  readonly dialect: 'postgres';
  readonly spec: TableSpec;
  readonly facts: TableFacts;
  readonly object: PlannedTable;
}

/** Of a workload in a cluster. */
export interface ReleasePlan extends PlanBase {
  readonly dialect: 'kubernetes';
  readonly spec: ReleaseSpec;
  readonly facts: ClusterFacts;
  readonly object: PlannedObject;
}

/** Of a model in a registry. */
export interface ModelPlan extends PlanBase {
  readonly dialect: 'mlflow';
  readonly spec: ModelSpec;
  readonly facts: ModelFacts;
  readonly object: HeldModel;
}

/** Of several things in several targets, with one order of stages. */
export interface JointPlan extends PlanBase {
  readonly dialect: 'several';
  readonly spec: JointSpec;
  /** What each thing is; their stages stand among those of the whole, and say to which part they belong. */
  readonly parts: readonly PartPlan[];
}

interface PlanBase {
  readonly format: 1;
  /** SHA-256 over everything else, 64 hex digits: what people approve. */
  readonly hash: string;
  /** SHA-256 of the normalised spec: what is equal about two specs. */
  readonly specHash: string;
  readonly name: string;
  readonly strategy: Strategy;
  readonly environment: string;
  readonly target: string;
  readonly taskQueue: string;
  readonly stages: readonly Stage[];
  readonly changes: readonly ChangeClass[];
  readonly risk: Risk;
  readonly findings: readonly Finding[];
  readonly estimate: Estimate;
  readonly onFailure: FailurePolicy;
}

/** The table that the deployment touches and locks. */
export interface PlannedTable {
  readonly schema: string;
  readonly table: string;
  readonly oid: number;
  /** The columns it holds during grace, when others may touch the rest of the table. */
  readonly columns: readonly string[];
  /** Our own schema in the target, from the configuration. */
  readonly homeSchema: string;
  /** The table's owner, when our role works as it by `SET ROLE`. */
  readonly actsAs?: string;
}

/** Whether a change done naively would hurt, why, and what makes it safe here. */
export interface ChangeClass {
  readonly change: string;
  readonly class: 'safe' | 'unsafe';
  readonly because: string;
}

export interface Risk {
  readonly level: 'low' | 'medium' | 'high';
  readonly because: readonly string[];
  /** Name of the first stage without an undo, or null. */
  readonly pointOfNoReturn: string | null;
}

/** Milliseconds; null where it depends on people or proof. */
export interface Estimate {
  readonly workMs: number | null;
  readonly graceMs: number;
  readonly rows: number | null;
}

/** One thing that was looked at before the start, or in preflight. */
export interface Finding {
  readonly code: string;
  readonly level: FindingLevel;
  readonly detail: string;
  /** JSON pointer into the spec, when one field is the cause. */
  readonly pointer?: string;
  /** How many rows, where rows are the matter. */
  readonly count?: number;
  /** Keys of such rows, at most 20; never their values. */
  readonly keys?: readonly string[];
}
