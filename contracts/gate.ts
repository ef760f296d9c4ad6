import type { ExecKind } from './catalog.ts';

/** A fact that was measured: a number, or null when nobody could see. Never a verdict. */
export interface Reading {
  readonly name: string;
  readonly value: number | null;
  readonly unit: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** One question about a reading; bounds are inclusive. */
export interface Check {
  readonly name: string;
  readonly min?: number;
  readonly max?: number;
}

/** What to do, and why. */
export type Verdict =
  | { readonly decision: 'promote'; readonly because: string }
  | { readonly decision: 'hold'; readonly because: string }
  | { readonly decision: 'rollback'; readonly because: string };

/** When to look at a side, at what, and how much doubt to bear. */
export interface Gate {
  /** Name of a metrics source in the configuration. */
  readonly metrics: string;
  /** PromQL of a counter of requests that the candidate has answered; one value. */
  readonly requests: string;
  readonly checks: readonly GateCheck[];
  /** How long one window is, ms. */
  readonly windowMs: number;
  /** So many of the last `of` windows out of bounds are a failure. */
  readonly fails: number;
  readonly of: number;
  /** A window with fewer requests says nothing. */
  readonly atLeast: number;
  /** After so long without data a person is called, ms; */
  readonly blindForMs: number;
  /** or all is taken back. Absent: a person. */
  readonly blind?: 'rollback';
  /** What the candidate must not be worse at than the stable side; absent: nothing. */
  readonly compares?: readonly Comparison[];
}

/** Asks whether the candidate's part of something is as good as that of the stable side, from counters of both. */
export interface Comparison {
  readonly name: string;
  /** Which part is the better one. */
  readonly better: 'more' | 'less';
  readonly candidate: CountedPart;
  readonly stable: CountedPart;
  /** How much worse is still as good, as a part of one: of 0.01, 89 % beside 90 %. */
  readonly margin: number;
  /** With fewer on either side nothing is said. */
  readonly atLeast: number;
}

/** PromQL of two counters, one value each: those that are so, and all. */
export interface CountedPart {
  readonly part: string;
  readonly whole: string;
}

/** What both sides have counted since a step began. */
export interface ComparedCounts {
  readonly candidate: PartOfWhole;
  readonly stable: PartOfWhole;
}

export interface PartOfWhole {
  readonly part: number;
  readonly whole: number;
}

export interface GateCheck {
  readonly name: string;
  /** `ratio`: a counter, whose increase is divided by that of the requests. `value`: a gauge or quantile, as it is. */
  readonly kind: 'ratio' | 'value';
  /** PromQL; one value. */
  readonly query: string;
  /** Inclusive; a ratio from 0 to 1, or what the query says times `scale`. */
  readonly max: number;
  /** For people: `%`, `ms`. */
  readonly unit: string;
  /** What the query's own value is multiplied by; 1000 from seconds to ms. */
  readonly scale: number;
}

/** What was seen in one window of a gate. Null: not measured. */
export interface GateWindow {
  /** Epoch ms. */
  readonly from: number;
  readonly to: number;
  readonly requests: number | null;
  /** By the name of the check. */
  readonly values: Readonly<Record<string, number | null>>;
}

/** Asks whether a side answers. */
export type Probe =
  | { readonly by: 'http'; readonly url: string; readonly status: number; readonly timeoutMs: number }
  | { readonly by: 'tcp'; readonly address: string; readonly timeoutMs: number }
  | { readonly by: 'grpc'; readonly address: string; readonly service: string; readonly timeoutMs: number }
  | {
      readonly by: 'exec';
      /** Name of a cluster in the configuration. */
      readonly target: string;
      /** A pod, or the workload in whose youngest ready pod the command runs. */
      readonly of: ExecRef;
      /** Null: the pod's only one. */
      readonly container: string | null;
      readonly command: readonly string[];
      readonly timeoutMs: number;
    }
  | {
      readonly by: 'trino';
      readonly address: string;
      readonly user: string;
      /** Run one after the other; each has to end without an error. */
      readonly sql: readonly string[];
      /** For all of them together. */
      readonly timeoutMs: number;
    };

/** Where a command runs. */
export interface ExecRef {
  readonly kind: ExecKind;
  readonly namespace: string;
  readonly name: string;
}

/** What the candidate needs besides itself, and when it is not sent anything for want of it. */
export interface Dependency {
  readonly name: string;
  readonly probe: Probe;
  /** Between two looks, ms; while its breaker is open the wait doubles, */
  readonly everyMs: number;
  /** up to this, ms. */
  readonly backoffMs: number;
  /** So many bad answers among the last `of` open its breaker. */
  readonly fails: number;
  readonly of: number;
  /** So many good answers in a row close it again. */
  readonly closeAfter: number;
  /** After so long without its being closed a person is called, ms; the clock does not run while it is paused. */
  readonly openForMs: number;
}
