/** A workload in a cluster. */
export interface WorkloadRef {
  readonly kind: 'Deployment';
  readonly namespace: string;
  readonly name: string;
}

/** The workload that a deployment touches and locks. */
export interface PlannedWorkload extends WorkloadRef {
  readonly uid: string;
}

/** What *inspect* saw of a workload. Facts only. */
export interface WorkloadFacts extends WorkloadRef {
  /** Null when there is no such workload; then everything below is empty. */
  readonly uid: string | null;
  readonly replicas: number;
  /** Pods of the present template that are ready. */
  readonly ready: number;
  readonly containers: readonly ContainerFacts[];
  readonly rollout: RolloutFacts;
  /** Who keeps the object as a repository says, for example `Argo CD application shop`; null: nobody that is known. */
  readonly ownedBy: string | null;
  /** Names of autoscalers that change its number of pods. */
  readonly autoscalers: readonly string[];
  /** Names near to the one asked for, when there is no such workload. */
  readonly nearby: readonly string[];
  /** The id of the deployment that holds it now. */
  readonly holder: string | null;
}

export interface ContainerFacts {
  readonly name: string;
  readonly image: string;
  /** Seconds that its preStop sleeps; null: it has another preStop, or none. */
  readonly drainSeconds: number | null;
  /** It has a preStop that is not a sleep. */
  readonly otherPreStop: boolean;
  readonly hasReadiness: boolean;
}

/** How it is rolled out today; null: as Kubernetes does by default. */
export interface RolloutFacts {
  readonly strategy: string;
  readonly surge: number | string | null;
  readonly unavailable: number | string | null;
  readonly graceSeconds: number;
  readonly deadlineSeconds: number;
  /** Somebody has paused it. */
  readonly paused: boolean;
}

/** What is known of a rollout, as `kubectl rollout status` reads it. */
export interface RollStatus {
  readonly done: boolean;
  /** Pods of the new template, ready and long enough so. */
  readonly updated: number;
  readonly wanted: number;
  /** It has stood still for longer than its deadline. */
  readonly stuck: boolean;
  /** One line for people. */
  readonly because: string;
}
