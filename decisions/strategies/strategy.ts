import type { TableFacts } from '../../contracts/facts.ts';
import type { Plan, Risk } from '../../contracts/plan.ts';
import type { Spec } from '../../contracts/spec.ts';

/** What a strategy may know. */
export interface StrategyInput {
  readonly spec: Spec;
  readonly facts: TableFacts;
  readonly oid: number;
  readonly homeSchema: string;
  readonly specHash: string;
}

/** What a strategy decides; the rest of a plan is the same for all. */
export type StrategyParts = Pick<Plan, 'object' | 'stages' | 'changes' | 'findings' | 'estimate'> & {
  readonly risk: Omit<Risk, 'pointOfNoReturn'>;
};
