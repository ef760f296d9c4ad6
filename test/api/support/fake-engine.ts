import type { OrderName } from '../../../contracts/catalog.ts';
import { objectOf } from '../../../decisions/spec-object.ts';
import type { ClusterFacts } from '../../../contracts/cluster-facts.ts';
import type { TableFacts } from '../../../contracts/facts.ts';
import type { ModelFacts } from '../../../contracts/model.ts';
import type { DeploymentInput, Orders } from '../../../contracts/messages.ts';
import type { Status } from '../../../contracts/progress.ts';
import type { Engine } from '../../../api/engine.ts';
import { Refusal } from '../../../api/problems.ts';
import { notStarted } from '../../../decisions/progress.ts';
import { tableFacts } from '../../support/facts.ts';

/** An engine with memory: it knows what runs and who holds which table, and does nothing else. */
export class FakeEngine implements Engine {
  facts: TableFacts = tableFacts();
  /** What the next calls fail with; null: nothing. */
  trouble: Refusal | null = null;
  /** How long a start takes, ms. */
  slowMs = 0;
  readonly started: DeploymentInput[] = [];
  readonly orders: { readonly id: string; readonly name: OrderName; readonly order: Orders[OrderName] }[] = [];
  readonly #running = new Map<string, Status>();
  /** Who holds which table. */
  readonly #holders = new Map<string, string>();
  readonly #ended = new Set<string>();

  async inspect(): Promise<TableFacts> {
    if (this.trouble !== null) throw this.trouble;
    return this.facts;
  }

  inspectCluster(): Promise<ClusterFacts> {
    return Promise.reject(new Error('this engine has no cluster'));
  }

  inspectModel(): Promise<ModelFacts> {
    return Promise.reject(new Error('this engine has no registry'));
  }

  async start(input: DeploymentInput): Promise<Status | null> {
    await new Promise((resolve) => setTimeout(resolve, this.slowMs));
    if (this.trouble !== null) throw this.trouble;
    if (this.#ended.has(input.id)) return null;
    const running = this.#running.get(input.id);
    if (running !== undefined) return running;
    const table = objectOf(input.plan.spec);
    const holder = this.#holders.get(table);
    if (holder !== undefined) throw new Refusal('TARGET_TAKEN', `${holder} holds the table`, { holder });
    this.started.push(input);
    const status = statusOf(input);
    this.#running.set(input.id, status);
    this.#holders.set(table, input.id);
    return status;
  }

  async order<N extends OrderName>(id: string, name: N, order: Orders[N]): Promise<Status | null> {
    if (this.trouble !== null) throw this.trouble;
    const status = this.#running.get(id);
    if (status === undefined) return null;
    if (order.stage !== status.stage) {
      throw new Refusal('ORDER_STALE', `the deployment is at ${status.stage}`, { possible: status.possible });
    }
    if (!this.orders.some((before) => before.order.id === order.id)) this.orders.push({ id, name, order });
    const after = { ...status, paused: name === 'pause' || (status.paused && name !== 'resume') };
    this.#running.set(id, after);
    return after;
  }

  async ping(): Promise<void> {
    if (this.trouble !== null) throw this.trouble;
  }

  address(id: string): string {
    return `http://127.0.0.1:8233/namespaces/default/workflows/${id}`;
  }

  /** The deployment's workflow has ended: its table is free, its id is not. */
  end(id: string): void {
    this.#running.delete(id);
    for (const [table, holder] of this.#holders) if (holder === id) this.#holders.delete(table);
    this.#ended.add(id);
  }
}

/** The status of a deployment that has just been accepted. */
export const statusOf = ({ id, plan, startedBy, startedAt }: DeploymentInput): Status => ({
  id,
  name: plan.name,
  target: plan.target,
  strategy: plan.strategy,
  planHash: plan.hash,
  phase: 'checking',
  stage: plan.stages[0]?.name ?? null,
  paused: false,
  rate: null,
  progress: notStarted(plan, startedAt),
  possible: ['pause', 'abort', 'rollback'],
  startedBy,
  startedAt,
  changedAt: startedAt,
});
