import type { Statement } from './plan.ts';

/** What tells the application's p99, and how many times its p99 without us it may be. */
export interface Protection {
  readonly p99: number;
  readonly by:
    | { readonly kind: 'metrics'; readonly source: string }
    | {
        readonly kind: 'probe';
        /** Run once per session. */
        readonly prepare: readonly Statement[];
        /** Some rows' keys `k0…kn` as text. */
        readonly keys: Statement;
        /** A row by its key, `$1…$n`. */
        readonly one: Statement;
        /** `$1` deployment; a commit that waits for the disk, after each `one`. Absent in plans of before: none. */
        readonly commit?: Statement;
      };
}
