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
