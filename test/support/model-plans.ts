import type { FieldProblem } from '../../contracts/api.ts';
import type { ModelFacts, VersionFacts } from '../../contracts/model.ts';
import type { ModelSpec } from '../../contracts/model-spec.ts';
import type { ModelPlan } from '../../contracts/plan.ts';
import { planDeployment } from '../../decisions/plan-deployment.ts';

/** 5 and 100 %, each at once, between two servers of HAProxy. */
export const modelSpec: ModelSpec = {
  name: 'forecast-12',
  strategy: 'model-canary',
  target: 'models',
  model: 'sales_forecast',
  candidate: { version: 12, alias: 'canary' },
  stable: { alias: 'champion' },
  route: { via: 'haproxy', router: 'edge', backend: 'forecast', stable: 'v11', candidate: 'v12' },
  seen: false,
  steps: [
    { weight: 5, for: '200ms' },
    { weight: 100, for: '200ms' },
  ],
  every: '50ms',
  keepOld: '200ms',
};

/** A version that takes and gives one number. */
export const versionFacts = (version: string, over: Partial<VersionFacts> = {}): VersionFacts => ({
  version,
  status: 'READY',
  createdAt: 1_700_000_000_000 + Number(version),
  signature: {
    inputs: [{ name: 'n', type: 'long', required: true }],
    outputs: [{ name: null, type: 'long', required: true }],
    params: [],
  },
  ...over,
});

/** A registry in which version 11 is in service, and nothing is on trial. */
export const modelFacts: ModelFacts = {
  createdAt: 1_700_000_000_000,
  aliases: { champion: '11', canary: null },
  versions: [versionFacts('12'), versionFacts('11')],
  route: {
    object: null,
    state: { weight: 0, because: '0 % on the candidate' },
    ownedBy: null,
    holder: null,
    nearby: [],
  },
  holder: null,
  nearby: [],
};

/** The plan of a model, or all that speaks against it. */
export function planModel(
  spec: ModelSpec,
  facts: ModelFacts,
  taskQueue = 'lakeshift',
): ModelPlan | readonly FieldProblem[] {
  const service = { environment: 'test', taskQueue, homeSchema: 'lakeshift', dialect: 'mlflow' } as const;
  const made = planDeployment({ ...service, spec, facts });
  if (!made.ok) return made.problems;
  if (made.plan.dialect !== 'mlflow') throw new Error('the plan of a model is one of something else');
  return made.plan;
}

/** The plan of any such spec, in a registry where all is as it needs it. */
export const planOfModel = (spec: ModelSpec, taskQueue?: string): ModelPlan => {
  const { candidate, stable } = spec;
  const facts: ModelFacts = {
    ...modelFacts,
    aliases: { [stable.alias]: '1', [candidate.alias]: null },
    versions: [versionFacts(String(candidate.version)), versionFacts('1')],
  };
  const made = planModel(spec, facts, taskQueue);
  if ('stages' in made) return made;
  throw new Error(JSON.stringify(made));
};

/** The plan of a story, which differs from the usual one in what is wished. */
export function modelPlan(taskQueue: string, wishes: Partial<ModelSpec> = {}): ModelPlan {
  const made = planModel({ ...modelSpec, ...wishes }, modelFacts, taskQueue);
  if ('stages' in made) return made;
  throw new Error(JSON.stringify(made));
}
