import { MockActivityEnvironment } from '@temporalio/testing';
import { createSqlActivities } from '../activities/sql/index.ts';
import type { Stage } from '../contracts/plan.ts';
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

/** Our expand and backfill by the activities that a worker runs: trigger, fence and progress row included. */
export async function prepareLakeshift(url: string): Promise<() => Promise<void>> {
  const env = new MockActivityEnvironment();
  const run = <R>(work: () => Promise<R>): Promise<R> => env.run<[], R, () => Promise<R>>(work);
  const acts = createSqlActivities({ target: (name) => ({ name, url }), tell: () => Promise.resolve() });
  const dialect = sqlDialects.postgres;
  const seen = await run(() =>
    acts.look({
      target: 'bench',
      statements: dialect.inspect(spec, 'lakeshift'),
      mode: 'read-only' as const,
    }),
  );
  const facts = dialect.facts(spec, seen);
  const result = planDeployment({
    spec,
    facts,
    dialect: 'postgres',
    environment: 'bench',
    taskQueue: 'bench',
    homeSchema: 'lakeshift',
  });
  if (!result.ok) throw new Error(`the bench's own plan is refused: ${JSON.stringify(result.problems)}`);
  const { plan } = result;
  const site = (turn: number) => ({ deployment: 'bench-00000001', target: 'bench', homeSchema: 'lakeshift', turn });
  await run(() => acts.claim({ site: site(1), plan }));
  return async () => {
    const expand = stageOf(plan.stages, 'expand');
    const stage = stageOf(plan.stages, 'backfill');
    await run(() => acts.alter({ site: site(2), stage: 'expand', alteration: expand.perform }));
    for (let turn = 3; ; turn++) {
      const { finished } = await run(() => acts.backfill({ site: site(turn), stage, rows: plan.facts.rows }));
      if (finished) return;
    }
  };
}

function stageOf<K extends Stage['kind']>(stages: readonly Stage[], kind: K): Extract<Stage, { kind: K }> {
  const stage = stages.find((candidate): candidate is Extract<Stage, { kind: K }> => candidate.kind === kind);
  if (stage === undefined) throw new Error(`the plan has no stage ${kind}`);
  return stage;
}
