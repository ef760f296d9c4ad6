import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createSqlActivities, type SqlActivities } from '../../activities/sql/index.ts';
import type { LookResult, Site } from '../../contracts/activities.ts';
import type { BuildStage, BuildStep, TablePlan, Statement } from '../../contracts/plan.ts';
import type { TableSpec } from '../../contracts/spec.ts';
import { planDeployment } from '../../decisions/plan-deployment.ts';
import { sqlDialects } from '../../decisions/sql/dialect.ts';
import { stageOf } from './sql-world.ts';

/** Any activity with its input. */
export interface Step {
  readonly name: keyof SqlActivities;
  readonly input: object;
}

/** Delivers an activity to a worker whose way to the target is `url`; `attempt` counts from 1, as Temporal does. */
export function deliver(url: string, { name, input }: Step, attempt = 1): Promise<unknown> {
  const env = new MockActivityEnvironment({ attempt }, { logger: new DefaultLogger('ERROR') });
  const activities = createSqlActivities({ target: () => ({ name: 'shop', url }), tell: async () => undefined });
  // each step is made with the input of its own activity; a list of them cannot say so
  const activity = activities[name] as unknown as (given: object) => Promise<unknown>;
  return env.run(() => activity(input));
}

/** Makes the plan of a spec against the server behind `url`. */
export async function planAt(url: string, spec: TableSpec): Promise<TablePlan> {
  const dialect = sqlDialects.postgres;
  const look = async (statements: readonly Statement[], mode: 'read-only' | 'discard') =>
    // what a look answers
    (await deliver(url, { name: 'look', input: { target: 'shop', statements, mode } })) as Record<string, LookResult>;
  const facts = dialect.facts(spec, await look(dialect.inspect(spec, 'lakeshift'), 'read-only'));
  const trials = await look(dialect.probes(spec, facts), 'discard');
  const expressions = dialect.expressions(spec, facts.columns, trials);
  const where = { dialect: 'postgres', environment: 'test', taskQueue: 'q', homeSchema: 'lakeshift' } as const;
  const result = planDeployment({ spec, facts: { ...facts, expressions }, ...where });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.plan;
}

/** Everything that a deployment does to its table until the old column is gone, one turn each. */
export function forward(plan: TablePlan): readonly Step[] {
  const site = turns(plan);
  return [...untilProven(plan, site), ...fromCutover(plan, site)];
}

/** The second part of it: both shapes are there and are true. */
export function fromProven(plan: TablePlan): readonly Step[] {
  const steps = forward(plan);
  return steps.slice(steps.findIndex(({ name }) => name === 'checkRows') + 1);
}

/** The same until the cutover, and all the way back. */
export function thereAndBack(plan: TablePlan): readonly Step[] {
  const site = turns(plan);
  const { undo, undoLong } = stageOf(plan, 'expand');
  const there = [...untilProven(plan, site), ...cutover(plan, site)];
  const alterations = [...stageOf(plan, 'cutover').undo, ...(buildOf(plan)?.undo ?? []), ...undo];
  return [
    ...there,
    { name: 'raiseFence', input: { site: site() } },
    ...alterations.map((alteration): Step => ({ name: 'alter', input: { site: site(), stage: 'undo', alteration } })),
    { name: 'alterLong', input: { site: site(), statements: undoLong } },
    { name: 'release', input: { site: site() } },
  ];
}

type NextSite = () => Site;

function untilProven(plan: TablePlan, site: NextSite): readonly Step[] {
  const { check } = stageOf(plan, 'verify');
  return [
    { name: 'claim', input: { site: site(), plan } },
    { name: 'alter', input: { site: site(), stage: 'expand', alteration: stageOf(plan, 'expand').perform } },
    { name: 'steer', input: { site: site(), paused: false, rate: null } },
    { name: 'backfill', input: { site: site(), stage: stageOf(plan, 'backfill'), rows: plan.facts.rows } },
    ...(buildOf(plan)?.steps ?? []).map((step) => build(step, site())),
    { name: 'checkRows', input: { site: site(), stage: 'verify', check, pass: 'p1', rows: null, sliceMs: 60_000 } },
  ];
}

const cutover = (plan: TablePlan, site: NextSite): readonly Step[] => {
  const { perform, performLong = [] } = stageOf(plan, 'cutover');
  return [
    { name: 'alter', input: { site: site(), stage: 'cutover', alteration: perform } },
    ...long(performLong, site),
  ];
};

const fromCutover = (plan: TablePlan, site: NextSite): readonly Step[] => {
  const { perform, performLong = [] } = stageOf(plan, 'contract');
  return [
    ...cutover(plan, site),
    { name: 'holdColumnsOnly', input: { site: site(), columnsOnly: true } },
    { name: 'holdColumnsOnly', input: { site: site(), columnsOnly: false } },
    { name: 'alter', input: { site: site(), stage: 'contract', alteration: perform } },
    ...long(performLong, site),
    { name: 'release', input: { site: site() } },
  ];
};

const long = (statements: readonly Statement[], site: NextSite): readonly Step[] =>
  statements.length === 0 ? [] : [{ name: 'alterLong', input: { site: site(), statements } }];

const buildOf = ({ stages }: TablePlan): BuildStage | undefined =>
  stages.find((stage): stage is BuildStage => stage.kind === 'build');

function build(step: BuildStep, site: Site): Step {
  if (step.step === 'alter') return { name: 'alter', input: { site, stage: 'build', alteration: step.alteration } };
  if (step.step === 'long') return { name: 'alterLong', input: { site, statements: step.statements } };
  return { name: 'buildIndex', input: { site, stage: 'build', index: step.index } };
}

function turns({ name }: TablePlan): () => Site {
  let turn = 0;
  return () => ({ deployment: `${name}-00000001`, target: 'shop', homeSchema: 'lakeshift', turn: ++turn });
}
