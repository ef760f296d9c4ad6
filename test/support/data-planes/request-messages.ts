/** Which requests are sent. */
export interface Wish {
  /** `http://host:port`. */
  readonly url: string;
  /** Connections that are kept alive, and so the most requests under way at once. */
  readonly connections: number;
  /** Requests a second at most. */
  readonly perSecond: number;
  /** Then it stops by itself; absent: it goes on until it is told. */
  readonly total?: number;
}

/** What has come of the requests. */
export interface Counts {
  readonly sent: number;
  /** Answered 200, the whole body. */
  readonly answered: number;
  /** Answered otherwise, by status. */
  readonly failed: Readonly<Record<string, number>>;
  /** Without an answer, or without all of it. */
  readonly lost: number;
  /** Why, by the code of the error. */
  readonly lostBecause: Readonly<Record<string, number>>;
  /** When the first and the last of those that failed or were lost were sent, ms since the epoch; null: there was none. */
  readonly trouble: { readonly first: number; readonly last: number } | null;
  /** Of those answered 200. */
  readonly byVersion: Readonly<Record<string, number>>;
  /** Sent and neither answered nor lost yet. */
  readonly underWay: number;
}

/** Answers of a window of time. */
export interface Share {
  readonly total: number;
  readonly byVersion: Readonly<Record<string, number>>;
}

/** What the process that sends may be asked. */
export type ToSender =
  { readonly kind: 'counts' | 'stop' } | { readonly kind: 'between'; readonly from: number; readonly to: number };

/** What it says; answers carry the number of the question. */
export type FromSender =
  | { readonly kind: 'counts'; readonly id: number; readonly counts: Counts }
  | { readonly kind: 'share'; readonly id: number; readonly share: Share }
  | { readonly kind: 'done' };
