import type { FieldProblem } from '../contracts/api.ts';
import type { TableFacts } from '../contracts/facts.ts';
import type { Finding, Plan, Stage, TablePlan, WorkloadPlan } from '../contracts/plan.ts';
import type { RollingSpec, Spec, TableSpec } from '../contracts/spec.ts';
import type { WorkloadFacts } from '../contracts/workload.ts';
import { checkFacts } from './check-facts.ts';
import { checkWorkload } from './check-workload.ts';
import { hashOf } from './hash.ts';
import { tableStrategies, workloadStrategies } from './strategies/index.ts';

/** What a plan is made of. Equal input gives an equal plan. */
export type PlanInput = Service & (TableInput | WorkloadInput);

interface Service {
  readonly environment: string;
  readonly taskQueue: string;
  readonly homeSchema: string;
}

interface TableInput {
  readonly dialect: 'postgres';
  readonly spec: TableSpec;
  readonly facts: TableFacts;
}

interface WorkloadInput {
  readonly dialect: 'kubernetes';
  readonly spec: RollingSpec;
  readonly facts: WorkloadFacts;
}

export type PlanResult<P extends Plan = Plan> =
  | { readonly ok: true; readonly plan: P }
  | { readonly ok: false; readonly problems: readonly FieldProblem[]; readonly findings: readonly Finding[] };

/** What equal specs share. */
export const specHash = (spec: Spec): string => hashOf(spec);

/** Makes the plan of a spec and of what was seen of its target, or says all that is against it. */
export function planDeployment(input: Service & TableInput): PlanResult<TablePlan>;
export function planDeployment(input: PlanInput): PlanResult;
export function planDeployment(input: PlanInput): PlanResult {
  return input.dialect === 'kubernetes' ? planWorkload(input) : planTable(input);
}

function planTable(input: Service & TableInput): PlanResult<TablePlan> {
  const { spec, facts, homeSchema } = input;
  const problems = checkFacts(spec, facts);
  if (problems.length > 0 || facts.oid === null) return { ok: false, problems, findings: [] };
  const parts = tableStrategies[spec.strategy]({ spec, facts, oid: facts.oid, homeSchema, specHash: specHash(spec) });
  return sealed<TablePlan>({
    ...common(input),
    dialect: input.dialect,
    spec,
    facts: { ...facts, tablesNearby: [] },
    onFailure: spec.onFailure ?? 'park',
    ...parts,
    risk: { ...parts.risk, pointOfNoReturn: pointOfNoReturn(parts.stages) },
  });
}

function planWorkload(input: Service & WorkloadInput): PlanResult<WorkloadPlan> {
  const { spec, facts } = input;
  const problems = checkWorkload(spec, facts);
  if (problems.length > 0 || facts.uid === null) return { ok: false, problems, findings: [] };
  const { kind, namespace, name } = facts;
  const object = { kind, namespace, name, uid: facts.uid };
  const parts = workloadStrategies[spec.strategy]({ spec, facts, object });
  return sealed<WorkloadPlan>({
    ...common(input),
    dialect: input.dialect,
    spec,
    facts,
    object,
    onFailure: spec.onFailure ?? 'rollback',
    ...parts,
    risk: { ...parts.risk, pointOfNoReturn: pointOfNoReturn(parts.stages) },
  });
}

/** What is the same about every plan. */
const common = ({ spec, environment, taskQueue }: PlanInput) => ({
  format: 1 as const,
  specHash: specHash(spec),
  name: spec.name,
  strategy: spec.strategy,
  environment,
  target: spec.target,
  taskQueue,
});

const sealed = <P extends Plan>(plan: Omit<P, 'hash'>): PlanResult<P> => ({
  ok: true,
  // TypeScript can't see that what was left out is what is added
  plan: { ...plan, hash: hashOf(plan) } as unknown as P,
});

/** The first stage that can't be taken back. */
export const pointOfNoReturn = (stages: readonly Stage[]): string | null =>
  stages.find(({ undoTitle }) => undoTitle === null)?.name ?? null;
