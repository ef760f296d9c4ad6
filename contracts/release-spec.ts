import type { NotifySpec } from './notifications.ts';
import type { FailurePolicy, WorkloadKind } from './catalog.ts';
import type { ChecksSpec, DependencySpec, ValidateSpec } from './health-spec.ts';
import type { RunningSpec } from './running-spec.ts';
import type { ShadowSpec } from './shadow-spec.ts';

export type * from './health-spec.ts';
export type * from './running-spec.ts';
export type * from './shadow-spec.ts';

/** Other pods of a workload in a cluster. */
export type ReleaseSpec = RollingSpec | CanarySpec | BlueGreenSpec | RecreateSpec | ShadowSpec;

/** Another image for the pods of a workload, a few of them at a time. */
export interface RollingSpec {
  readonly name: string;
  readonly strategy: 'rolling';
  /** The name of a cluster in the configuration. */
  readonly target: string;
  /** `namespace/name`. */
  readonly workload: string;
  /** Default: Deployment. */
  readonly kind?: WorkloadKind;
  /** The image by container. */
  readonly images: Readonly<Record<string, string>>;
  /** Pods beyond the wanted number, while it rolls: a number or percent, `2` or `25%`. Default 2. */
  readonly surge?: number | string;
  /** Pods that may be missing. Default 1. */
  readonly unavailable?: number | string;
  /** How long a pod that goes may finish what it has begun. Default `300s`. */
  readonly grace?: string;
  /** How long a pod that goes still serves, until every router has heard of it (a preStop sleep). Default `10s`. */
  readonly drain?: string;
  /** How long it may stand still, or a batch may take, before it is taken back. Default `600s`. */
  readonly deadline?: string;
  /** Parts that the workload can't go beyond by itself. Default: none of a Deployment, one pod each of a StatefulSet. */
  readonly batches?: BatchesSpec;
  /** Who must allow it. Default: nobody. */
  readonly approve?: boolean | string;
  /** Default `rollback`. */
  readonly onFailure?: FailurePolicy;
  readonly notify?: NotifySpec;
}

export interface BatchesSpec {
  /** Pods of each: a number or percent, `2` or `25%`. */
  readonly size: number | string;
  /** What has to answer after each. */
  readonly validate?: ValidateSpec;
  /** Between two of them. Default: none. */
  readonly pause?: string;
}

/** A candidate beside the stable side, for a growing share of the traffic; or a flag, for a growing share of its users. */
export interface CanarySpec {
  readonly name: string;
  readonly strategy: 'canary';
  /** The name of a cluster in the configuration. */
  readonly target: string;
  /** `namespace/name` of the Deployment in service. With a flag: the ConfigMap that holds it. */
  readonly workload: string;
  /** The candidate's image by container; not with a flag. */
  readonly images?: Readonly<Record<string, string>>;
  /** The Service of the Deployment, which has to select its pods only; not with a flag. */
  readonly service?: string;
  readonly route: RouteSpec;
  /** How it is seen where the traffic goes. `false`: only the route is read back. */
  readonly seen: SeenSpec | false;
  /** Default: 5, 25, 50 and 100 %, each for `10m`. */
  readonly steps?: readonly StepSpec[];
  /** What every step is judged by, unless it says otherwise. */
  readonly checks?: ChecksSpec;
  /** What it needs besides itself. Default: nothing. */
  readonly dependencies?: readonly DependencySpec[];
  /** How often the route and the checks are looked at. Default `1m`. */
  readonly every?: string;
  /** How long the stable side is kept after the last step, before its own pods are replaced. Default `0s`. */
  readonly keepOld?: string;
  /** How long a pod that goes may finish what it has begun. Default `300s`. */
  readonly grace?: string;
  /** How long a pod that goes still serves, until every router has heard of it. Default `10s`. */
  readonly drain?: string;
  /** How long new pods may take to become ready. Default `600s`. */
  readonly deadline?: string;
  /** Who must allow the first step. Default: nobody. */
  readonly approve?: boolean | string;
  /** What a broken stage leads to; checks have their own answer. Default `rollback`. */
  readonly onFailure?: FailurePolicy;
  readonly notify?: NotifySpec;
}

/** Where the weight is set. */
export type RouteSpec =
  | { readonly via: 'gateway-api'; readonly name: string; readonly match?: MatchSpec }
  | {
      readonly via: 'istio';
      readonly name: string;
      /** A host of the stable side, `host#subset` where it has one. Default: the Service. */
      readonly stable?: string;
      readonly candidate?: string;
      readonly match?: MatchSpec;
    }
  | {
      readonly via: 'haproxy';
      /** Name of a router in the configuration. */
      readonly router: string;
      readonly backend: string;
      /** Names of the two servers. */
      readonly stable: string;
      readonly candidate: string;
    }
  | {
      readonly via: 'nginx';
      readonly router: string;
      /** Addresses of the two servers, as they stand in the file. */
      readonly stable: string;
      readonly candidate: string;
    }
  | {
      readonly via: 'flag';
      /** The key of the flag file in the ConfigMap. */
      readonly key: string;
      readonly flag: string;
      /** Variants of the flag. */
      readonly stable: string;
      readonly candidate: string;
    };

/** Requests that go to the candidate whatever its weight, by a header or a cookie. */
export type MatchSpec =
  { readonly header: string; readonly value: string } | { readonly cookie: string; readonly value: string };

export type SeenSpec =
  | {
      /** An address that is asked through the route. */
      readonly url: string;
      /** A header of the answer, */
      readonly header?: string;
      /** or a JSON pointer into it, that tells the sides apart. */
      readonly json?: string;
      /** What it says on the candidate. */
      readonly candidate: string;
      /** How many requests make a look. Default 400. */
      readonly requests?: number;
    }
  | {
      /** Name of a metrics source in the configuration. */
      readonly metrics: string;
      /** PromQL of a counter of requests that each side has answered. */
      readonly candidate: string;
      readonly stable: string;
    };

export interface StepSpec {
  /** Whole percent on the candidate. */
  readonly weight: number;
  /** The least time. Default `10m`. */
  readonly for?: string;
  /** Who must allow it. Default: nobody. */
  readonly approve?: boolean | string;
  /** `false`: this step is not judged. */
  readonly checks?: ChecksSpec | false;
  /** What a failed check leads to: `0` or `rollback`, all is taken back; `hold`; or a weight, and a person. */
  readonly onFail?: number | 'rollback' | 'hold';
}

/** The idle one of two sides is brought up, tried, and takes all traffic at once. */
export interface BlueGreenSpec {
  readonly name: string;
  readonly strategy: 'blue-green';
  readonly target: string;
  /** `namespace/name` of the Service whose selector decides. */
  readonly service: string;
  /** The label in that selector, and the two Deployments, whose pods have a value of it each. */
  readonly slots: { readonly label: string; readonly blue: string; readonly green: string };
  readonly images: Readonly<Record<string, string>>;
  readonly seen?: SeenSpec | false;
  /** What the new side has to answer before it gets traffic. */
  readonly validate?: ValidateSpec;
  /** What becomes of queries that run at the switch; there is no way without where the sides run Trino. */
  readonly running?: RunningSpec;
  /** How long it is watched after the switch. Default `5m`. */
  readonly watch?: { readonly for?: string; readonly checks?: ChecksSpec };
  /** What the new side needs besides itself. Default: nothing. */
  readonly dependencies?: readonly DependencySpec[];
  readonly every?: string;
  /** How long the old side is kept ready. Default `24h`. */
  readonly keepOld?: string;
  readonly grace?: string;
  readonly drain?: string;
  readonly deadline?: string;
  /** Who must allow the switch. Default: nobody. */
  readonly approve?: boolean | string;
  readonly onFailure?: FailurePolicy;
  readonly notify?: NotifySpec;
}

/** All pods end, then the new ones start: with downtime, which somebody has to accept. */
export interface RecreateSpec {
  readonly name: string;
  readonly strategy: 'recreate';
  readonly target: string;
  readonly workload: string;
  readonly images: Readonly<Record<string, string>>;
  /** There is no way without. */
  readonly accept: 'downtime';
  readonly grace?: string;
  readonly deadline?: string;
  /** Who must allow it. Default: any approver. */
  readonly approve?: true | string;
  readonly onFailure?: FailurePolicy;
  readonly notify?: NotifySpec;
}
