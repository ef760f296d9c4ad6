import type { ObjectKind, WorkloadKind } from './catalog.ts';

/** An object in a cluster. */
export interface ObjectRef {
  readonly kind: ObjectKind;
  readonly namespace: string;
  readonly name: string;
}

/** An object that a deployment holds, and touches only as long as it is this very one. */
export interface HeldObject extends ObjectRef {
  readonly uid: string;
}

/** A workload in a cluster. */
export interface WorkloadRef extends ObjectRef {
  readonly kind: WorkloadKind;
}

/** The workload that a deployment touches and locks. */
export interface PlannedWorkload extends WorkloadRef {
  readonly uid: string;
}

/** What a deployment in a cluster touches and locks. */
export interface PlannedObject extends HeldObject {
  /** Further objects that it holds; absent: none. */
  readonly also?: readonly HeldObject[];
}

/** A candidate beside the stable side: a copy of its Deployment, and of its Service if there is one, under other names. */
export interface Candidate {
  readonly of: WorkloadRef;
  readonly name: string;
  /** The stable side's Service, and the name of the candidate's; null: what routes finds the pods by itself. */
  readonly service: { readonly of: string; readonly name: string } | null;
  /** Labels of the pods that tell the candidate from the stable side. */
  readonly labels: Readonly<Record<string, string>>;
  /** The image by container. */
  readonly images: Readonly<Record<string, string>>;
  readonly replicas: number;
  /** How long a pod that goes still serves, s; 0: its own preStop is left as it is. */
  readonly drainSeconds: number;
  /** How long it may stand still, s. */
  readonly deadlineSeconds: number;
  /** Variables that its containers have in another way; absent: all as the stable side has them. */
  readonly env?: Readonly<Record<string, EnvSource>>;
}

/** What a variable of a container is: a text, or a key of an object in the same namespace. */
export type EnvSource =
  | { readonly value: string }
  | { readonly secret: string; readonly key: string }
  | { readonly configMap: string; readonly key: string };

/** What *inspect* saw of a Service. Facts only. */
export interface ServiceFacts {
  readonly namespace: string;
  readonly name: string;
  /** Null when there is no such Service; then everything below is empty. */
  readonly uid: string | null;
  readonly selector: Readonly<Record<string, string>>;
  readonly ownedBy: string | null;
  readonly holder: string | null;
  readonly nearby: readonly string[];
}

/** What *inspect* saw of a workload. Facts only. */
export interface WorkloadFacts extends WorkloadRef {
  /** Null when there is no such workload; then everything below is empty. */
  readonly uid: string | null;
  readonly replicas: number;
  /** Pods of the present template that are ready. */
  readonly ready: number;
  readonly containers: readonly ContainerFacts[];
  /** Labels by which it finds its pods; absent in plans of before. */
  readonly selector?: Readonly<Record<string, string>>;
  /** Labels of its pods; absent in plans of before. */
  readonly podLabels?: Readonly<Record<string, string>>;
  readonly rollout: RolloutFacts;
  /** Who keeps the object as a repository says, for example `Argo CD application shop`; null: nobody that is known. */
  readonly ownedBy: string | null;
  /** Names of autoscalers that change its number of pods. */
  readonly autoscalers: readonly string[];
  /** The same in full; absent in plans of before. */
  readonly scalers?: readonly AutoscalerFacts[];
  /** Names near to the one asked for, when there is no such workload. */
  readonly nearby: readonly string[];
  /** The id of the deployment that holds it now. */
  readonly holder: string | null;
}

/** What *inspect* saw of an autoscaler. */
export interface AutoscalerFacts {
  readonly name: string;
  readonly uid: string;
  /** Of scaling down; null: it says nothing of how it scales. */
  readonly selectPolicy: string | null;
  /** Who keeps it as a repository or an object of their own says; null: nobody that is known. */
  readonly ownedBy: string | null;
  readonly holder: string | null;
}

/** A HorizontalPodAutoscaler that is kept from scaling down. */
export interface HeldAutoscaler extends HeldObject {
  readonly kind: 'HorizontalPodAutoscaler';
  /** What it said before of choosing among its policies; null: it said nothing of how it scales. */
  readonly before: string | null;
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
  /** How long a pod has to be ready until it counts, s; absent in plans of before. */
  readonly minReadySeconds?: number;
  /** Of a StatefulSet: pods of a lower number are held back; absent: it is none. */
  readonly partition?: number;
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

/** A part of a rollout that the workload itself can't go beyond. */
export interface Batch {
  /** New pods at its end, those of earlier batches among them. */
  readonly pods: number;
  /** How long it may take, ms; the clock does not run while it is paused. */
  readonly deadlineMs: number;
}
