import type { TableFacts } from '../../contracts/facts.ts';
import type { Plan, PlannedWorkload, Risk, TablePlan } from '../../contracts/plan.ts';
import type { RollingSpec, TableSpec } from '../../contracts/spec.ts';
import type { WorkloadFacts } from '../../contracts/workload.ts';

/** What a strategy may know of a table. */
export interface StrategyInput {
  readonly spec: TableSpec;
  readonly facts: TableFacts;
  readonly oid: number;
  readonly homeSchema: string;
  readonly specHash: string;
}

/** What a strategy may know of a workload. */
export interface WorkloadInput {
  readonly spec: RollingSpec;
  readonly facts: WorkloadFacts;
  readonly object: PlannedWorkload;
}

/** What a strategy decides; the rest of a plan is the same for all. */
export type StagesAndRisk = Pick<Plan, 'stages' | 'changes' | 'findings' | 'estimate'> & {
  readonly risk: Omit<Risk, 'pointOfNoReturn'>;
};
export type StrategyParts = StagesAndRisk & Pick<TablePlan, 'object'>;

export type TableStrategy = (input: StrategyInput) => StrategyParts;
export type WorkloadStrategy = (input: WorkloadInput) => StagesAndRisk;
