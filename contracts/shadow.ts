/** One request that both sides are asked. */
export interface ShadowRequest {
  readonly method: string;
  /** From the first slash on, with the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Where the requests are. */
export type ShadowSource =
  | { readonly by: 'list'; readonly requests: readonly ShadowRequest[] }
  | { readonly by: 'config-map'; readonly namespace: string; readonly name: string; readonly key: string };

/** Addresses of both sides, without a path. */
export interface SideAddresses {
  readonly stable: string;
  readonly candidate: string;
}

/** What two answers may differ in. JSON pointers, with `*` for any one name or place in a list. */
export interface Comparison {
  /** Left out, with all that is below. */
  readonly ignore: readonly string[];
  readonly tolerance: readonly Tolerance[];
  /** Objects whose names are values: they are counted as `*`. */
  readonly maps: readonly string[];
}

/** By how much two numbers may differ: within either of the two. */
export interface Tolerance {
  readonly at: string;
  /** In the number's own unit; null: not by that. */
  readonly absolute: number | null;
  /** Part of the greater of both, 0 to 1; null: not by that. */
  readonly relative: number | null;
}

/** How many, by JSON pointer; `status`, `content-type`, `body` and `no answer` for what is none. */
export type CountsByPointer = Readonly<Record<string, number>>;

/** How often an answer took up to each of `latencyBoundsMs`, and last how often longer. */
export type LatencyCounts = readonly number[];

/** Upper bounds of the times by which answers are counted, ms: each a quarter above the one before. */
export const latencyBoundsMs: readonly number[] = Array.from({ length: 56 }, (_, step) => 0.25 * 1.25 ** step);

/** What a slice of asking and comparing saw. Facts only. */
export interface ShadowFacts {
  /** Requests that the stable side has answered: only these tell something. */
  readonly compared: number;
  /** Of these, those that the candidate has answered in the same way. */
  readonly agreed: number;
  /** Requests that the stable side has not answered, or with 5xx. */
  readonly silent: number;
  readonly differs: CountsByPointer;
  /** In what the stable side has differed from itself. */
  readonly noise: CountsByPointer;
  readonly latency: { readonly stable: LatencyCounts; readonly candidate: LatencyCounts };
  /** How many different requests there are. */
  readonly requests: number;
  /** The place of the request that comes next. */
  readonly next: number;
}

/** What the candidate of a shadow has answered, beside the stable side. */
export interface Shadow {
  /** Requests that the stable side has answered. */
  readonly compared: number;
  readonly agreed: number;
  /** Requests that the stable side has not answered: they tell nothing. */
  readonly silent: number;
  /** The share that agrees lies between these, 0 to 1, with that confidence; null: not judged yet. */
  readonly interval: { readonly low: number; readonly high: number; readonly confidence: number } | null;
  /** In what answers differ, most often first. */
  readonly differs: readonly PointerCount[];
  /** In what the stable side has differed from itself, most often first. */
  readonly noise: readonly PointerCount[];
  readonly latency: { readonly stable: SideLatency; readonly candidate: SideLatency };
  /** How many different requests there are. */
  readonly requests: number;
  /** The place of the request that comes next. */
  readonly next: number;
  /** Since when the stable side has answered nothing, epoch ms; null: it answers. */
  readonly silentSince: number | null;
  /** A person was called: whoever tries again compares anew. */
  readonly over?: boolean;
}

export interface PointerCount {
  /** A JSON pointer, or `status`, `content-type`, `body`, `no answer`, `others`. */
  readonly at: string;
  readonly count: number;
}

/** How long a side takes to answer, ms, to a quarter; null: not measured. */
export interface SideLatency {
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly counts: LatencyCounts;
}
