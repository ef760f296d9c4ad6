import { MockActivityEnvironment } from '@temporalio/testing';
import { createSqlActivities, type SqlActivities } from '../activities/sql/index.ts';
import type { AlterFacts, BackfillFacts } from '../contracts/activities.ts';
import type { LiveProgress } from '../contracts/events.ts';
import type { Plan, Stage } from '../contracts/plan.ts';
import type { Spec } from '../contracts/spec.ts';
import { planDeployment } from '../decisions/plan-deployment.ts';
import { sqlDialects } from '../decisions/sql/dialect.ts';

const spec: Spec = {
  name: 'bench',
  strategy: 'expand-contract',
  target: 'bench',
  table: 'public.payments',
  changes: [{ type: 'amount', to: 'amount_cents bigint', up: 'round(amount * 100)', down: 'amount_cents / 100.0' }],
};

/** Our own activities on one database, one by one, as a worker runs them. */
export interface Lakeshift {
  /** What a running activity last said of itself. */
  live(): LiveProgress | null;
  expand(): Promise<AlterFacts>;
  /** One slice of the backfill, of so many ms. */
  slice(forMs: number): Promise<BackfillFacts>;
}

/** Looks at the database, makes the plan and takes the table. */
export async function openLakeshift(url: string): Promise<Lakeshift> {
  const env = new MockActivityEnvironment();
  const run = <R>(work: () => Promise<R>): Promise<R> => env.run<[], R, () => Promise<R>>(work);
  let live: LiveProgress | null = null;
  const activities = createSqlActivities({
    target: (name) => ({ name, url }),
    tell: (progress) => {
      live = progress;
      return Promise.resolve();
    },
  });
  const plan = await planOf(activities, run);
  let turn = 0;
  const site = () => ({ deployment: 'bench-00000001', target: 'bench', homeSchema: 'lakeshift', turn: ++turn });
  await run(() => activities.claim({ site: site(), plan }));
  const alteration = stageOf(plan.stages, 'expand').perform;
  const stage = stageOf(plan.stages, 'backfill');
  return {
    live: () => live,
    expand: () => run(() => activities.alter({ site: site(), stage: 'expand', alteration })),
    slice: (forMs) =>
      run(() => activities.backfill({ site: site(), stage: { ...stage, sliceMs: forMs }, rows: plan.facts.rows })),
  };
}

async function planOf(activities: SqlActivities, run: <R>(work: () => Promise<R>) => Promise<R>): Promise<Plan> {
  const dialect = sqlDialects.postgres;
  const statements = dialect.inspect(spec, 'lakeshift');
  const facts = dialect.facts(
    spec,
    await run(() => activities.look({ target: 'bench', statements, mode: 'read-only' })),
  );
  const made = { environment: 'bench', taskQueue: 'bench', homeSchema: 'lakeshift', dialect: 'postgres' } as const;
  const result = planDeployment({ spec, facts, ...made });
  if (!result.ok) throw new Error(`the bench's own plan is refused: ${JSON.stringify(result.problems)}`);
  return result.plan;
}

function stageOf<K extends Stage['kind']>(stages: readonly Stage[], kind: K): Extract<Stage, { kind: K }> {
  const stage = stages.find((candidate): candidate is Extract<Stage, { kind: K }> => candidate.kind === kind);
  if (stage === undefined) throw new Error(`the plan has no stage ${kind}`);
  return stage;
}
