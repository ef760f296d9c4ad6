import type { ExecKind } from './catalog.ts';
import type { CompareSpec } from './compare-spec.ts';

/** Fixed bounds, judged in windows. */
export interface ChecksSpec {
  /** Name of a metrics source in the configuration. */
  readonly metrics: string;
  /** PromQL of a counter of the candidate's requests; one value. */
  readonly requests: string;
  /** A counter of failed requests, and their greatest share. */
  readonly errors?: { readonly query: string; readonly max: string };
  /** Seconds, and the longest time. */
  readonly p95?: { readonly query: string; readonly max: string };
  readonly p99?: { readonly query: string; readonly max: string };
  /** What the candidate must not be worse at than the stable side. */
  readonly compare?: readonly CompareSpec[];
  /** Default `1m`. */
  readonly window?: string;
  /** So many of the last so many windows. Default `3 of 5`. */
  readonly fail?: string;
  /** Requests without which a window says nothing. Default 100. */
  readonly atLeast?: number;
  /** After so long without data a person is called. Default `5m`. */
  readonly blindFor?: string;
  /** Then a person is called, or all is taken back. Default `hold`. */
  readonly blind?: 'hold' | 'rollback';
}

/** What the candidate needs besides itself: without it everything goes to the stable side until it is back. */
export interface DependencySpec {
  /** What it is called in the status. */
  readonly name: string;
  readonly probe: ProbeSpec;
  /** Default `10s`. */
  readonly every?: string;
  /** So many bad answers of the last so many. Default `3 of 5`. */
  readonly fail?: string;
  /** How many good answers in a row it takes to be back. Default 2. */
  readonly closeAfter?: number;
  /** The longest wait between two looks while it is away. Default `1m`. */
  readonly backoff?: string;
  /** After so long a person is called. Default `30m`. */
  readonly openFor?: string;
}

export interface ValidateSpec {
  readonly probes: readonly ProbeSpec[];
  /** Default 30. */
  readonly tries?: number;
  /** Default `2s`. */
  readonly every?: string;
  /** After a bad answer each wait is twice as long as the last one, up to this. Default: they are all the same. */
  readonly backoff?: string;
  /** How many good answers in a row. Default 3. */
  readonly needs?: number;
}

export type ProbeSpec =
  | { readonly http: string; readonly status?: number; readonly timeout?: string }
  | { readonly tcp: string; readonly timeout?: string }
  | { readonly grpc: string; readonly service?: string; readonly timeout?: string }
  | {
      /** `namespace/name` of what the command runs in. */
      readonly exec: string;
      /** Default `Deployment`: in its youngest ready pod. */
      readonly kind?: ExecKind;
      /** Needed where a pod has several. */
      readonly container?: string;
      /** It has to end with 0. Nothing that it says is kept. */
      readonly command: readonly string[];
      readonly timeout?: string;
    }
  | {
      /** Address of a coordinator; without user and password. */
      readonly trino: string;
      /** A statement, or several: each has to end without an error. */
      readonly sql: string | readonly string[];
      /** Default `lakeshift`. */
      readonly user?: string;
      /** For all statements together. Default `10s`. */
      readonly timeout?: string;
    };
