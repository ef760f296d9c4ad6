import type { TargetConfig } from '../config/index.ts';
import { strategyDialects } from '../contracts/catalog.ts';
import type { FieldProblem } from '../contracts/api.ts';
import type { Plan } from '../contracts/plan.ts';
import type { Spec } from '../contracts/spec.ts';
import { checkSpec, type SpecCheck } from '../decisions/check-spec.ts';
import { namesUsed } from '../decisions/names-used.ts';
import { objectOf } from '../decisions/spec-object.ts';
import { planDeployment } from '../decisions/plan-deployment.ts';
import { holderIn } from '../decisions/releases/facts.ts';
import { releaseStrategyOf } from '../decisions/strategies/index.ts';
import { parseQualified } from '../decisions/sql/postgres/identifier.ts';
import type { ApiDependencies } from './deps.ts';
import { unknownName } from './plugins/validation.ts';
import { Refusal } from './problems.ts';

/** A spec without mistakes, and the target that it names. */
export interface CheckedSpec {
  readonly spec: Spec;
  readonly target: TargetConfig;
}

/** Reads a spec; throws SPEC_INVALID with everything that can be said without looking at the target. */
export function readSpec({ config }: Pick<ApiDependencies, 'config'>, body: unknown): CheckedSpec {
  const check = checkSpec(body);
  const name = nameOfTarget(body);
  const target = name === null ? undefined : config.targets[name];
  const problems = [
    ...(check.ok ? [] : check.problems),
    ...(name === null ? [] : targetProblems(config.targets, name, check)),
    ...unknownNames(config, body),
  ];
  if (check.ok && target !== undefined && problems.length === 0) return { spec: check.spec, target };
  throw new Refusal('SPEC_INVALID', `the spec has ${count(problems.length)}; nothing was started`, {
    errors: problems,
  });
}

type Targets = ApiDependencies['config']['targets'];

function targetProblems(targets: Targets, name: string, check: SpecCheck): readonly FieldProblem[] {
  const target = targets[name];
  if (target !== undefined) return check.ok ? otherKind(check.spec, target) : [];
  return [unknownName('/target', `there is no target ${name} in the configuration`, name, Object.keys(targets))];
}

/** A strategy for tables needs a database, one for workloads a cluster. */
function otherKind({ strategy, target }: Spec, { dialect }: TargetConfig): readonly FieldProblem[] {
  if (strategyDialects[strategy].includes(dialect)) return [];
  const detail = `strategy ${strategy} needs a target of dialect ${strategyDialects[strategy].join(' or ')}; ${target} is ${dialect}`;
  return [{ pointer: '/target', detail }];
}

/** Routers and metrics sources that the configuration does not have, or has of another kind. */
const unknownNames = (config: ApiDependencies['config'], body: unknown): readonly FieldProblem[] =>
  namesUsed(body).flatMap(({ of, name, pointer, kind }): FieldProblem[] => {
    const there = Object.hasOwn(config[of], name) ? config[of][name] : undefined;
    const called = of === 'metrics' ? 'metrics source' : 'router';
    if (there === undefined)
      return [
        unknownName(pointer, `there is no ${called} ${name} in the configuration`, name, Object.keys(config[of])),
      ];
    return kind === undefined || kind === there.kind
      ? []
      : [{ pointer, detail: `router ${name} is of kind ${there.kind}, not ${kind}` }];
  });

/** Looks at the target and makes the plan; throws PLAN_REFUSED with everything that is against it. */
export async function makePlan({ config, engine }: ApiDependencies, { spec, target }: CheckedSpec): Promise<Plan> {
  const { environment, homeSchema } = config;
  const service = { environment, homeSchema, taskQueue: target.taskQueue };
  const seen = await inspected(engine, spec, target);
  const made = planDeployment({ ...service, ...seen });
  const { facts } = seen;
  if (made.ok) return made.plan;
  const holder = 'workloads' in facts ? holderIn(facts) : facts.holder;
  if (holder !== null) {
    // what is against the plan may be the half-done work of whoever holds it
    throw new Refusal('TARGET_TAKEN', `${holder} holds ${objectOf(spec)}`, { holder });
  }
  const { problems, findings } = made;
  throw new Refusal('PLAN_REFUSED', `${count(problems.length + findings.length)} found; nothing was started`, {
    errors: problems,
    ...(findings.length === 0 ? {} : { findings }),
  });
}

/** What a plan is made of, as it belongs together. */
async function inspected(engine: ApiDependencies['engine'], spec: Spec, target: TargetConfig) {
  if (spec.strategy === 'expand-contract')
    return { dialect: 'postgres' as const, spec, facts: await engine.inspect(spec, target) };
  const looks = releaseStrategyOf(spec).looks(spec);
  return { dialect: 'kubernetes' as const, spec, facts: await engine.inspectCluster(spec.target, looks, target) };
}

/** Where a spec changes something: equal for specs that can't be under way together. */
export function tableOf({ spec }: CheckedSpec): string {
  if (spec.strategy !== 'expand-contract') return JSON.stringify([spec.target, objectOf(spec)]);
  const { schema, table } = parseQualified(spec.table) ?? { schema: '', table: spec.table };
  return JSON.stringify([spec.target, schema, table]);
}

/** The target's name as far as it can be read, so that an unknown one is named together with all other mistakes. */
function nameOfTarget(body: unknown): string | null {
  if (typeof body !== 'object' || body === null || !('target' in body)) return null;
  return typeof body.target === 'string' && /^[\w.-]{1,60}$/.test(body.target) ? body.target : null;
}

const count = (mistakes: number): string => (mistakes === 1 ? 'a mistake' : `${mistakes} mistakes`);
