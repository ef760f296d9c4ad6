import { strategyDialects } from '../contracts/catalog.ts';
import type { FieldProblem } from '../contracts/api.ts';
import type { Plan } from '../contracts/plan.ts';
import type { JointSpec, SimpleSpec, Spec } from '../contracts/spec.ts';
import { checkSpec } from '../decisions/check-spec.ts';
import { namesUsed } from '../decisions/names-used.ts';
import { objectOf, objectsOf } from '../decisions/spec-object.ts';
import { planDeployment, planTogether } from '../decisions/plan-deployment.ts';
import { holderIn } from '../decisions/releases/facts.ts';
import { releaseStrategyOf } from '../decisions/strategies/index.ts';
import { modelLooks } from '../decisions/strategies/model-canary.ts';
import { partSpecs } from '../decisions/strategies/release.ts';
import { targetsIn, type NamedTarget } from './named-targets.ts';
import { parseQualified } from '../decisions/sql/postgres/identifier.ts';
import type { ApiDependencies } from './deps.ts';
import { unknownName } from './plugins/validation.ts';
import { Refusal } from './problems.ts';

/** A spec without mistakes, and where the workers of its targets listen. */
export interface CheckedSpec {
  readonly spec: Spec;
  readonly taskQueue: string;
}

/** Reads a spec; throws SPEC_INVALID with everything that can be said without looking at the target. */
export function readSpec({ config }: Pick<ApiDependencies, 'config'>, body: unknown): CheckedSpec {
  const check = checkSpec(body);
  const named = targetsIn(body);
  const [first] = named;
  const problems = [
    ...(check.ok ? [] : check.problems),
    ...named.flatMap((one) => targetProblems(config.targets, one)),
    ...(named.length < 2 ? [] : otherQueues(config.targets, named)),
    ...unknownNames(config, body),
  ];
  const target = first === undefined ? undefined : config.targets[first.name];
  if (check.ok && target !== undefined && problems.length === 0)
    return { spec: check.spec, taskQueue: target.taskQueue };
  throw new Refusal('SPEC_INVALID', `the spec has ${count(problems.length)}; nothing was started`, {
    errors: problems,
  });
}

type Targets = ApiDependencies['config']['targets'];

function targetProblems(targets: Targets, { pointer, name, strategy }: NamedTarget): readonly FieldProblem[] {
  const target = targets[name];
  if (target === undefined)
    return [unknownName(pointer, `there is no target ${name} in the configuration`, name, Object.keys(targets))];
  // a strategy for tables needs a database, one for workloads a cluster
  const needed = strategy === null ? null : strategyDialects[strategy];
  if (needed === null || needed.includes(target.dialect)) return [];
  const detail = `strategy ${strategy ?? ''} needs a target of dialect ${needed.join(' or ')}; ${name} is ${target.dialect}`;
  return [{ pointer, detail }];
}

/** One workflow's activities go to the workers of one queue. */
function otherQueues(targets: Targets, [first, ...others]: readonly NamedTarget[]): readonly FieldProblem[] {
  const queue = targets[first?.name ?? '']?.taskQueue;
  return others.flatMap(({ pointer, name }) => {
    const other = targets[name]?.taskQueue;
    if (other === undefined || other === queue) return [];
    return [
      {
        pointer,
        detail: `${name} has task queue ${other}, and ${first?.name ?? ''} has ${queue ?? 'none'}: one release needs one`,
      },
    ];
  });
}

/** Routers, metrics sources and channels that the configuration does not have, or has of another kind. */
const unknownNames = (config: ApiDependencies['config'], body: unknown): readonly FieldProblem[] =>
  namesUsed(body).flatMap(({ of, name, pointer, kind }): FieldProblem[] => {
    const there = Object.hasOwn(config[of], name) ? config[of][name] : undefined;
    if (there === undefined) {
      const detail = `there is no ${called[of]} ${name.slice(0, 60)} in the configuration`;
      return [unknownName(pointer, detail, name, Object.keys(config[of]))];
    }
    return kind === undefined || kind === there.kind
      ? []
      : [{ pointer, detail: `router ${name} is of kind ${there.kind}, not ${kind}` }];
  });

const called = { metrics: 'metrics source', routers: 'router', notify: 'channel' } as const;

/** Looks at the targets and makes the plan; throws PLAN_REFUSED with everything that is against it. */
export async function makePlan({ config, engine }: ApiDependencies, { spec, taskQueue }: CheckedSpec): Promise<Plan> {
  const { environment, homeSchema, targets } = config;
  const service = { environment, homeSchema, taskQueue };
  const looked = await Promise.all(partsOf(spec).map((part) => inspected(engine, part, targets)));
  const [only] = looked;
  const made =
    spec.strategy === 'release' || only === undefined
      ? planTogether({ ...service, spec: jointOf(spec), parts: looked })
      : planDeployment({ ...service, ...only });
  if (made.ok) return made.plan;
  const holder = looked
    .map(({ facts }) => ('workloads' in facts ? holderIn(facts) : facts.holder))
    .find((one) => one !== null);
  if (holder !== undefined) {
    // what is against the plan may be the half-done work of whoever holds it
    throw new Refusal('TARGET_TAKEN', `${holder} holds ${objectOf(spec)}`, { holder });
  }
  const { problems, findings } = made;
  throw new Refusal('PLAN_REFUSED', `${count(problems.length + findings.length)} found; nothing was started`, {
    errors: problems,
    ...(findings.length === 0 ? {} : { findings }),
  });
}

const partsOf = (spec: Spec): readonly SimpleSpec[] => (spec.strategy === 'release' ? partSpecs(spec) : [spec]);

function jointOf(spec: Spec): JointSpec {
  if (spec.strategy !== 'release') throw new TypeError('a spec of one part has one');
  return spec;
}

/** What a part of a plan is made of, as it belongs together. */
async function inspected(engine: ApiDependencies['engine'], spec: SimpleSpec, targets: Targets) {
  const target = targets[spec.target];
  if (target === undefined) throw new TypeError('a spec was checked against other targets');
  if (spec.strategy === 'expand-contract')
    return { dialect: 'postgres' as const, spec, facts: await engine.inspect(spec, target) };
  if (spec.strategy === 'model-canary')
    return {
      dialect: 'mlflow' as const,
      spec,
      facts: await engine.inspectModel(spec.target, modelLooks(spec), target),
    };
  const looks = releaseStrategyOf(spec).looks(spec);
  return { dialect: 'kubernetes' as const, spec, facts: await engine.inspectCluster(spec.target, looks, target) };
}

/** Everything that a spec changes: specs that share one can't be under way together. */
export const placesOf = ({ spec }: CheckedSpec): readonly string[] =>
  objectsOf(spec).map(({ target, object }) => {
    const { schema, table } = parseQualified(object) ?? { schema: '', table: object };
    return JSON.stringify([target, schema, table]);
  });

const count = (mistakes: number): string => (mistakes === 1 ? 'a mistake' : `${mistakes} mistakes`);
