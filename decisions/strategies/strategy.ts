import type { FieldProblem } from '../../contracts/api.ts';
import type { ClusterFacts, ClusterLooks } from '../../contracts/cluster-facts.ts';
import type { TableFacts } from '../../contracts/facts.ts';
import type { Plan, ReleasePlan, Risk, TablePlan } from '../../contracts/plan.ts';
import type { TableSpec } from '../../contracts/spec.ts';

/** What a strategy may know of a table. */
export interface StrategyInput {
  readonly spec: TableSpec;
  readonly facts: TableFacts;
  readonly oid: number;
  readonly homeSchema: string;
  readonly specHash: string;
}

/** What a strategy decides; the rest of a plan is the same for all. */
export type StagesAndRisk = Pick<Plan, 'stages' | 'changes' | 'findings' | 'estimate'> & {
  readonly risk: Omit<Risk, 'pointOfNoReturn'>;
};
export type StrategyParts = StagesAndRisk & Pick<TablePlan, 'object'>;

export type TableStrategy = (input: StrategyInput) => StrategyParts;

/** How a strategy gets from a spec to the stages of a release. */
export interface ReleaseStrategy<S> {
  /** What has to be seen of the cluster. */
  readonly looks: (spec: S) => ClusterLooks;
  /** All that speaks against it, each with the field that is the cause. */
  readonly check: (spec: S, facts: ClusterFacts) => readonly FieldProblem[];
  /** Only asked when nothing speaks against it. */
  readonly plan: (spec: S, facts: ClusterFacts) => StagesAndRisk & Pick<ReleasePlan, 'object'>;
}
