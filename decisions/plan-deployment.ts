import type { FieldProblem } from '../contracts/api.ts';
import type { TableFacts } from '../contracts/facts.ts';
import type { ClusterFacts } from '../contracts/cluster-facts.ts';
import type { ModelFacts } from '../contracts/model.ts';
import type { ModelSpec } from '../contracts/model-spec.ts';
import type {
  Finding,
  JointPlan,
  ModelPlan,
  PartPlan,
  Plan,
  ReleasePlan,
  Stage,
  TablePlan,
} from '../contracts/plan.ts';
import type { ReleaseSpec } from '../contracts/release-spec.ts';
import type { JointSpec, Spec, TableSpec } from '../contracts/spec.ts';
import { checkFacts } from './check-facts.ts';
import { hashOf } from './hash.ts';
import { checkModel, planModel } from './strategies/model-canary.ts';
import { joined } from './strategies/release.ts';
import { releaseStrategyOf, tableStrategies } from './strategies/index.ts';

/** What a plan is made of. Equal input gives an equal plan. */
export type PlanInput = Service & (TableInput | ReleaseInput | ModelInput);

/** What a plan of several parts is made of: each part as a spec of its own, and what was seen for it. */
export type JointInput = Service & {
  readonly spec: JointSpec;
  readonly parts: readonly (TableInput | ReleaseInput | ModelInput)[];
};

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

interface ReleaseInput {
  readonly dialect: 'kubernetes';
  readonly spec: ReleaseSpec;
  readonly facts: ClusterFacts;
}

interface ModelInput {
  readonly dialect: 'mlflow';
  readonly spec: ModelSpec;
  readonly facts: ModelFacts;
}

export type PlanResult<P extends Plan = Plan> =
  | { readonly ok: true; readonly plan: P }
  | { readonly ok: false; readonly problems: readonly FieldProblem[]; readonly findings: readonly Finding[] };

/** What equal specs share. */
export const specHash = (spec: Spec): string => hashOf(spec);

/** Makes the plan of a spec and of what was seen of its target, or says all that is against it. */
export function planDeployment(input: Service & TableInput): PlanResult<TablePlan>;
export function planDeployment(input: PlanInput): PlanResult<PartPlan>;
export function planDeployment(input: PlanInput): PlanResult<PartPlan> {
  if (input.dialect === 'mlflow') return planOfModel(input);
  return input.dialect === 'kubernetes' ? planRelease(input) : planTable(input);
}

function planTable(input: Service & TableInput): PlanResult<TablePlan> {
  const { spec, facts, homeSchema } = input;
  const problems = checkFacts(spec, facts);
  if (problems.length > 0 || facts.oid === null) return { ok: false, problems, findings: [] };
  const parts = tableStrategies[spec.strategy]({ spec, facts, oid: facts.oid, homeSchema, specHash: specHash(spec) });
  return sealed<TablePlan>({
    ...common(input, input.spec.target),
    dialect: input.dialect,
    spec,
    facts: { ...facts, tablesNearby: [] },
    onFailure: spec.onFailure ?? 'park',
    ...parts,
    risk: { ...parts.risk, pointOfNoReturn: pointOfNoReturn(parts.stages) },
  });
}

function planRelease(input: Service & ReleaseInput): PlanResult<ReleasePlan> {
  const { spec, facts } = input;
  const strategy = releaseStrategyOf(spec);
  const problems = strategy.check(spec, facts);
  if (problems.length > 0) return { ok: false, problems, findings: [] };
  const parts = strategy.plan(spec, facts);
  return sealed<ReleasePlan>({
    ...common(input, input.spec.target),
    dialect: input.dialect,
    spec,
    facts,
    onFailure: spec.onFailure ?? 'rollback',
    ...parts,
    risk: { ...parts.risk, pointOfNoReturn: pointOfNoReturn(parts.stages) },
  });
}

function planOfModel(input: Service & ModelInput): PlanResult<ModelPlan> {
  const { spec, facts } = input;
  const problems = checkModel(spec, facts);
  if (problems.length > 0) return { ok: false, problems, findings: [] };
  const parts = planModel(spec, facts);
  return sealed<ModelPlan>({
    ...common(input, input.spec.target),
    dialect: input.dialect,
    spec,
    facts,
    onFailure: spec.onFailure ?? 'rollback',
    ...parts,
    risk: { ...parts.risk, pointOfNoReturn: pointOfNoReturn(parts.stages) },
  });
}

/** One plan of several: all that is against any part is said at once. */
export function planTogether({ spec, parts, ...service }: JointInput): PlanResult<JointPlan> {
  const made = parts.map((part) => planDeployment({ ...service, ...part }));
  const plans = made.flatMap((result) => (result.ok ? [result.plan] : []));
  if (plans.length < made.length) {
    const refused = made.map((result, part) => (result.ok ? null : under(spec, part, result)));
    return {
      ok: false,
      problems: refused.flatMap((result) => result?.problems ?? []),
      findings: refused.flatMap((result) => result?.findings ?? []),
    };
  }
  const { stages, ...rest } = joined(plans);
  return sealed<JointPlan>({
    ...common({ spec, ...service }, plans.map(({ target }) => target).join(', ')),
    dialect: 'several',
    spec,
    parts: plans.map((plan) => ({ ...plan, stages: [] })),
    onFailure: spec.onFailure ?? 'rollback',
    stages,
    ...rest,
    risk: { ...rest.risk, pointOfNoReturn: pointOfNoReturn(stages) },
  });
}

/** The problems of a part, with pointers into the whole. */
function under(spec: JointSpec, part: number, { problems, findings }: Extract<PlanResult, { readonly ok: false }>) {
  const tables = spec.tables.length;
  const at = part < tables ? `/tables/${part}` : `/services/${part - tables}`;
  const moved = <T extends { readonly pointer?: string }>(one: T): T => ({
    ...one,
    pointer: `${at}${one.pointer ?? ''}`,
  });
  return { problems: problems.map(moved), findings: findings.map(moved) };
}

/** What is the same about every plan. */
const common = (
  { spec, environment, taskQueue }: Pick<Service, 'environment' | 'taskQueue'> & { readonly spec: Spec },
  target: string,
) => ({
  format: 1 as const,
  specHash: specHash(spec),
  name: spec.name,
  strategy: spec.strategy,
  environment,
  target,
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
