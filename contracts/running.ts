/** What becomes of the queries that run on a side when everything is switched to the other one. */
export type RunningWay = 'finish-on-old' | 'wait' | 'accept';

/** A coordinator of Trino. */
export interface Coordinator {
  /** The workload whose side it is; for people. */
  readonly name: string;
  /** `http://host:port`, without user and password. */
  readonly url: string;
  /** Who asks (X-Trino-User); it has to be allowed to see the queries of others. */
  readonly user: string;
}

/** What a plan says of running queries. */
export interface RunningQueries {
  readonly engine: 'trino';
  readonly way: RunningWay;
  /** Where they run when it is switched. */
  readonly old: Coordinator;
  /** Only where they finish on the side that knows them. */
  readonly followUps: FollowUps | null;
  /** How long they are waited for, ms. */
  readonly timeoutMs: number;
}

/** How follow-up requests of a query keep going to the coordinator that knows it. */
export interface FollowUps {
  /** The HTTPRoute whose rules name the Service that is switched. */
  readonly route: { readonly namespace: string; readonly name: string };
  readonly service: string;
  /** The side that was in service first. */
  readonly sides: readonly FollowUpSide[];
  /** Where clients send their requests. */
  readonly address: string;
}

/** A side, and the Service that selects its pods whichever side is switched to. */
export interface FollowUpSide {
  readonly service: string;
  readonly coordinator: Coordinator;
}

/** How many queries a coordinator has not ended. */
export interface QueryCount {
  /** Those too that ended a moment ago: their last page may still be fetched. Null: nobody could see. */
  readonly running: number | null;
  /** Why nobody could; null: it was seen. */
  readonly blindBecause: string | null;
}

/** Queries that are waited for. */
export interface Running {
  /** The workload on which they run. */
  readonly on: string;
  /** Null: nobody could see. */
  readonly queries: number | null;
  /** One line for people: how many, or why nobody could see. */
  readonly because: string;
  /** Since when they are waited for, epoch ms. */
  readonly since: number;
  /** When they were last counted, epoch ms. */
  readonly lookedAt: number;
  /** A person was called because of them: who tries again has looked. */
  readonly called?: boolean;
}
