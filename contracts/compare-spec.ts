/** Counters of both sides: the candidate's part must not be worse than that of the stable side by more than the margin. */
export interface CompareSpec {
  /** What it is called in plans and verdicts, such as `accuracy`. */
  readonly name: string;
  /** Which part is the better one. Default `more`. */
  readonly better?: 'more' | 'less';
  /** PromQL of two counters, one value each: those that are so, and all. */
  readonly candidate: { readonly part: string; readonly whole: string };
  readonly stable: { readonly part: string; readonly whole: string };
  /** How much worse is still as good, in percentage points. Default `1%`. */
  readonly margin?: string;
  /** With fewer counted on either side nothing is said. Default 100. */
  readonly atLeast?: number;
}
