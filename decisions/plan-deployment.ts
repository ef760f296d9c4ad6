import type { FieldProblem } from '../contracts/api.ts';
import type { Dialect } from '../contracts/catalog.ts';
import type { TableFacts } from '../contracts/facts.ts';
import type { Finding, Plan, Stage } from '../contracts/plan.ts';
import type { Spec } from '../contracts/spec.ts';
import { checkFacts } from './check-facts.ts';
import { hashOf } from './hash.ts';
import { planStrategies } from './strategies/index.ts';

/** What a plan is made of. Equal input gives an equal plan. */
export interface PlanInput {
  readonly spec: Spec;
  readonly facts: TableFacts;
  readonly dialect: Dialect;
  readonly environment: string;
  readonly taskQueue: string;
  readonly homeSchema: string;
}

export type PlanResult =
  | { readonly ok: true; readonly plan: Plan }
  | { readonly ok: false; readonly problems: readonly FieldProblem[]; readonly findings: readonly Finding[] };

/** What equal specs share. */
export const specHash = (spec: Spec): string => hashOf(spec);

/** Makes the plan of a spec and of what was seen of its target, or says all that is against it. */
export function planDeployment(input: PlanInput): PlanResult {
  const { spec, facts } = input;
  const problems = checkFacts(spec, facts);
  if (problems.length > 0 || facts.oid === null) return { ok: false, problems, findings: [] };
  const parts = planStrategies[spec.strategy]({
    spec,
    facts,
    oid: facts.oid,
    homeSchema: input.homeSchema,
    specHash: specHash(spec),
  });
  const plan: Omit<Plan, 'hash'> = {
    format: 1,
    specHash: specHash(spec),
    name: spec.name,
    strategy: spec.strategy,
    environment: input.environment,
    target: spec.target,
    dialect: input.dialect,
    taskQueue: input.taskQueue,
    spec,
    facts: { ...facts, tablesNearby: [] },
    onFailure: spec.onFailure ?? 'park',
    ...parts,
    risk: { ...parts.risk, pointOfNoReturn: pointOfNoReturn(parts.stages) },
  };
  return { ok: true, plan: { ...plan, hash: hashOf(plan) } };
}

/** The first stage that can't be taken back. */
export const pointOfNoReturn = (stages: readonly Stage[]): string | null =>
  stages.find(({ undoTitle }) => undoTitle === null)?.name ?? null;
