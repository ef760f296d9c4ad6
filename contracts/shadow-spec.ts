import type { FailurePolicy } from './catalog.ts';
import type { NotifySpec } from './notifications.ts';
import type { ValidateSpec } from './release-spec.ts';
import type { ShadowRequest } from './shadow.ts';
import type { EnvSource } from './workload.ts';

/** A candidate that is asked what the stable side is asked, and whose answers nobody gets. */
export interface ShadowSpec {
  readonly name: string;
  readonly strategy: 'shadow';
  /** The name of a cluster in the configuration. */
  readonly target: string;
  /** `namespace/name` of the Deployment in service. */
  readonly workload: string;
  /** The Service of the Deployment. */
  readonly service: string;
  /** The candidate's image by container. */
  readonly images: Readonly<Record<string, string>>;
  /** Pods of the candidate. Default 1. */
  readonly replicas?: number;
  /** That the candidate writes nothing, or what of its environment is different so that it writes elsewhere. */
  readonly writes: 'none' | { readonly env: Readonly<Record<string, EnvSource>> };
  /** Where the worker asks each side; without a path. */
  readonly sides: { readonly stable: string; readonly candidate: string };
  readonly requests: RequestsSpec;
  readonly compare?: CompareSpec;
  /** The least share of answers that have to agree. Default `99%`. */
  readonly agree?: string;
  /** Compared answers before it is judged. Default 1,000. */
  readonly atLeast?: number;
  /** Compared answers after which a person is called. Default 16 times `atLeast`. */
  readonly atMost?: number;
  /** Requests a second. Default 10. */
  readonly rate?: number;
  /** How long an answer may take. Default `2s`. */
  readonly timeout?: string;
  /** Whether the stable side is asked twice, and differences from itself are forgiven. Default `false`. */
  readonly noise?: boolean;
  /** After so long without an answer of the stable side a person is called. Default `5m`. */
  readonly blindFor?: string;
  /** What too little agreement leads to. Default `rollback`. */
  readonly onFail?: 'rollback' | 'hold';
  /** What the candidate has to answer before it is compared. */
  readonly validate?: ValidateSpec;
  /** How long new pods may take to become ready. Default `600s`. */
  readonly deadline?: string;
  /** Who must allow it. Default: nobody. */
  readonly approve?: boolean | string;
  readonly onFailure?: FailurePolicy;
  readonly notify?: NotifySpec;
}

/** What both sides are asked, again and again. */
export type RequestsSpec = {
  /** Asking them again and again changes nothing on the stable side, whatever their method. */
  readonly harmless?: true;
} & (
  | { readonly list: readonly ShadowRequest[] }
  /** A ConfigMap of the namespace, and its key that holds a list of requests as JSON. */
  | { readonly configMap: string; readonly key: string }
);

/** What answers may differ in; JSON pointers, with `*` for any one name or place in a list. */
export interface CompareSpec {
  /** Left out, with all that is below. */
  readonly ignore?: readonly string[];
  /** By how much numbers may differ. */
  readonly tolerance?: readonly ToleranceSpec[];
  /** Objects whose names are values, and are not to be shown. */
  readonly maps?: readonly string[];
}

export interface ToleranceSpec {
  readonly at: string;
  readonly absolute?: number;
  /** Part of the greater number, such as `0.1%`. */
  readonly relative?: string;
}
