import type { WorkloadKind } from './catalog.ts';
import type { Route, RouteFacts } from './route.ts';
import type { ServiceFacts, WorkloadFacts } from './workload.ts';

/** What is looked at in a cluster before a plan is made. */
export interface ClusterLooks {
  readonly namespace: string;
  /** What the workloads are; absent: Deployments. */
  readonly kind?: WorkloadKind;
  /** Names of workloads and of Services, those too that must not be there yet. */
  readonly workloads: readonly string[];
  readonly services: readonly string[];
  readonly route: Route | null;
  /** Whether the selectors of all Services there are looked at; absent: they are not. */
  readonly selectors?: true;
}

/** What was seen, in the order of the looks. Facts only. */
export interface ClusterFacts {
  readonly workloads: readonly WorkloadFacts[];
  readonly services: readonly ServiceFacts[];
  /** Null: no route was asked for. */
  readonly route: RouteFacts | null;
  /** Of all Services of the namespace that have one; absent: not asked for. */
  readonly selectors?: readonly SelectorFacts[];
}

/** By which labels a Service finds its pods. */
export interface SelectorFacts {
  readonly service: string;
  readonly selector: Readonly<Record<string, string>>;
}
