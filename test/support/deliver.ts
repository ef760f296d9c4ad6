import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createSqlActivities, type SqlActivities } from '../../activities/sql/index.ts';
import type { Site } from '../../contracts/activities.ts';
import type { Plan } from '../../contracts/plan.ts';
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

const deployment = 'payments-cents-00000001';

/** Everything that a deployment does to its table until the old column is gone, one turn each. */
export function forward(plan: Plan): readonly Step[] {
  const site = turns();
  const { check } = stageOf(plan, 'verify');
  return [
    { name: 'claim', input: { site: site(), plan } },
    { name: 'alter', input: { site: site(), stage: 'expand', alteration: stageOf(plan, 'expand').perform } },
    { name: 'steer', input: { site: site(), paused: false, rate: null } },
    { name: 'backfill', input: { site: site(), stage: stageOf(plan, 'backfill'), rows: plan.facts.rows } },
    { name: 'checkRows', input: { site: site(), stage: 'verify', check, pass: 'p1', rows: null, sliceMs: 60_000 } },
    { name: 'alter', input: { site: site(), stage: 'cutover', alteration: stageOf(plan, 'cutover').perform } },
    { name: 'holdColumnsOnly', input: { site: site(), columnsOnly: true } },
    { name: 'holdColumnsOnly', input: { site: site(), columnsOnly: false } },
    { name: 'alter', input: { site: site(), stage: 'contract', alteration: stageOf(plan, 'contract').perform } },
    { name: 'release', input: { site: site() } },
  ];
}

/** The same until the cutover, and all the way back. */
export function thereAndBack(plan: Plan): readonly Step[] {
  const there = forward(plan).slice(0, 6);
  const site = turns(there.length);
  const { undo, undoLong } = stageOf(plan, 'expand');
  return [
    ...there,
    { name: 'raiseFence', input: { site: site() } },
    ...[...stageOf(plan, 'cutover').undo, ...undo].map((alteration): Step => {
      return { name: 'alter', input: { site: site(), stage: 'undo', alteration } };
    }),
    { name: 'alterLong', input: { site: site(), statements: undoLong } },
    { name: 'release', input: { site: site() } },
  ];
}

function turns(after = 0): () => Site {
  let turn = after;
  return () => ({ deployment, target: 'shop', homeSchema: 'lakeshift', turn: ++turn });
}
