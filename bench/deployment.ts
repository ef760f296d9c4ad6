import { MockActivityEnvironment } from '@temporalio/testing';
import { createSqlActivities, type SqlActivities } from '../activities/sql/index.ts';
import type { AlterFacts, BackfillFacts, Site } from '../contracts/activities.ts';
import type { LiveProgress } from '../contracts/events.ts';
import type { Stage, StageOf, TablePlan } from '../contracts/plan.ts';
import type { TableSpec } from '../contracts/spec.ts';
import { planDeployment } from '../decisions/plan-deployment.ts';
import { sqlDialects } from '../decisions/sql/dialect.ts';

const spec: TableSpec = {
  name: 'bench',
  strategy: 'expand-contract',
  target: 'bench',
  table: 'public.payments',
  changes: [{ type: 'amount', to: 'amount_cents bigint', up: 'round(amount * 100)', down: 'amount_cents / 100.0' }],
};

/** One deployment by the activities that a worker runs, without the workflow: trigger, fence and progress row included. */
export class BenchDeployment {
  readonly plan: TablePlan;
  readonly #run: <R>(work: (acts: SqlActivities) => Promise<R>) => Promise<R>;
  #turn = 1;
  /** What a running activity last said of itself. */
  live: LiveProgress | null = null;

  private constructor(plan: TablePlan, run: <R>(work: (acts: SqlActivities) => Promise<R>) => Promise<R>) {
    this.plan = plan;
    this.#run = run;
  }

  /** Plans it and takes the claim. */
  static async claim(url: string): Promise<BenchDeployment> {
    const env = new MockActivityEnvironment();
    let told: (progress: LiveProgress) => void = () => undefined;
    const acts = createSqlActivities({
      target: (name) => ({ name, url }),
      tell: (progress) => {
        told(progress);
        return Promise.resolve();
      },
    });
    const run = <R>(work: (acts: SqlActivities) => Promise<R>): Promise<R> =>
      env.run<[], R, () => Promise<R>>(() => work(acts));
    const dialect = sqlDialects.postgres;
    const statements = dialect.inspect(spec, 'lakeshift');
    const facts = dialect.facts(
      spec,
      await run((acts) => acts.look({ target: 'bench', statements, mode: 'read-only' })),
    );
    const from = { environment: 'bench', taskQueue: 'bench', homeSchema: 'lakeshift' };
    const result = planDeployment({ spec, facts, dialect: 'postgres', ...from });
    if (!result.ok) throw new Error(`the bench's own plan is refused: ${JSON.stringify(result.problems)}`);
    const deployment = new BenchDeployment(result.plan, run);
    told = (progress) => (deployment.live = progress);
    await run((acts) => acts.claim({ site: deployment.#site(), plan: result.plan }));
    return deployment;
  }

  /** Adds column and trigger, and rewrites the rows over at most so many connections. */
  async backfill(connections: number): Promise<void> {
    await this.expand();
    const planned = this.#stage('backfill');
    const stage = { ...planned, shards: { minPages: 4_096, ...planned.shards, atMost: connections } };
    while (!(await this.#slice(stage)).finished);
  }

  expand(): Promise<AlterFacts> {
    return this.#alter(this.#stage('expand').perform);
  }

  /** One slice of the backfill, of so many ms. */
  slice(forMs: number): Promise<BackfillFacts> {
    return this.#slice({ ...this.#stage('backfill'), sliceMs: forMs });
  }

  /** Compares both shapes of every row; how many rows were seen. */
  async verify(): Promise<number> {
    const { check } = this.#stage('verify');
    if (check === null) throw new Error('there is nothing to verify');
    const pass = { stage: 'verify', check, pass: String(this.#turn), rows: this.plan.facts.rows, sliceMs: 60_000 };
    for (;;) {
      const facts = await this.#run((acts) => acts.checkRows({ site: this.#site(), ...pass }));
      if (facts.wrong > 0) throw new Error(`${facts.wrong} rows are wrong`);
      if (facts.finished) return facts.seen;
    }
  }

  async cutover(): Promise<void> {
    await this.#alter(this.#stage('cutover').perform);
  }

  /** Takes the cutover back: from here on the old shape leads again. */
  async rollBack(): Promise<void> {
    for (const alteration of this.#stage('cutover').undo) await this.#alter(alteration);
  }

  #alter(alteration: StageOf<'expand'>['perform']): Promise<AlterFacts> {
    return this.#run((acts) => acts.alter({ site: this.#site(), stage: 'bench', alteration }));
  }

  #slice(stage: StageOf<'backfill'>): Promise<BackfillFacts> {
    return this.#run((acts) => acts.backfill({ site: this.#site(), stage, rows: this.plan.facts.rows }));
  }

  #site(): Site {
    return { deployment: 'bench-00000001', target: 'bench', homeSchema: 'lakeshift', turn: this.#turn++ };
  }

  #stage<K extends Stage['kind']>(kind: K): StageOf<K> {
    const stage = this.plan.stages.find((candidate): candidate is StageOf<K> => candidate.kind === kind);
    if (stage === undefined) throw new Error(`the plan has no stage ${kind}`);
    return stage;
  }
}
