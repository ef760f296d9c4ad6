import type { Rhythm } from '../../decisions/pace/rhythm.ts';
import type { Felt } from '../../decisions/pace/share.ts';

/** What happens to the application at the moment: nothing of ours, our bursts at a steady share, or something else. */
export type Beside = 'alone' | 'bursts' | 'other';

/** What tells how quick the application is. It measures by itself; reading it costs nothing and never throws. */
export interface LatencySource {
  /** In words, for status and report. */
  readonly name: string;
  readonly rhythm: Rhythm;
  /** From now on it is measured beside this. */
  turn(beside: Beside): void;
  /** What was measured beside our bursts counts no more: they have another share of the time now. */
  forget(): void;
  /** The application's p99 without us and beside us. */
  read(now: number): Felt;
  /** The longest that was measured beside our bursts, ms; null: this source does not know single statements. */
  readonly longestMs: number | null;
  /** Errors of the application so far; null: this source does not count them, or could not. */
  readonly errors: number | null;
  close(): Promise<void>;
}
