import type { TargetConfig } from '../config/index.ts';
import type { OrderName } from '../contracts/catalog.ts';
import type { TableFacts } from '../contracts/facts.ts';
import type { ModelFacts, ModelLooks } from '../contracts/model.ts';
import type { DeploymentInput, Orders } from '../contracts/messages.ts';
import type { Status } from '../contracts/progress.ts';
import type { TableSpec } from '../contracts/spec.ts';
import type { ClusterFacts, ClusterLooks } from '../contracts/cluster-facts.ts';

/**
 * What carries deployments out. Every method throws a `Refusal`: ENGINE_UNREACHABLE, WORKER_ABSENT, or the code with
 * which the workflow or an activity answered.
 */
export interface Engine {
  /** Looks at the spec's target. Changes nothing there. */
  inspect(spec: TableSpec, target: TargetConfig): Promise<TableFacts>;
  /** The same in a cluster. */
  inspectCluster(name: string, looks: ClusterLooks, target: TargetConfig): Promise<ClusterFacts>;
  /** The same in a registry of models. */
  inspectModel(name: string, looks: ModelLooks, target: TargetConfig): Promise<ModelFacts>;
  /**
   * Starts a deployment, or meets the one that runs under this id already, and waits until it has accepted its plan.
   * Null: there is one of this id, and it has ended.
   */
  start(input: DeploymentInput): Promise<Status | null>;
  /** Gives an order. Null: there is no such deployment, or it has ended. */
  order<N extends OrderName>(id: string, name: N, order: Orders[N]): Promise<Status | null>;
  /** Throws when it can't be reached. */
  ping(): Promise<void>;
  /** Where a person sees a deployment in the engine's own user interface. */
  address(id: string): string;
}
