/** Whether the candidate may rely on a dependency: `closed` it may, `open` it may not, `half-open` it is being tried. */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** The circuit breaker of one dependency. */
export interface Breaker {
  readonly name: string;
  /** Which of the plan's parts needs it; absent: the plan has one. */
  readonly part?: number;
  readonly state: BreakerState;
  /** Since when, epoch ms. */
  readonly since: number;
  /** What was wrong the last time that something was; null: nothing ever was. */
  readonly because: string | null;
  /** Whether each of the latest answers was good, oldest first: as many as it is judged by. */
  readonly answers: readonly boolean[];
  /** Bad answers since it opened, which make the waits longer. */
  readonly waits: number;
  /** When it was last looked at, epoch ms; 0: never. */
  readonly lookedAt: number;
  /** When it is to be looked at next, epoch ms. */
  readonly nextAt: number;
  /** When a person is called, epoch ms; null: the clock does not run. */
  readonly until: number | null;
}

/** A share that was taken home. */
export interface Fallback {
  /** Since when, epoch ms. */
  readonly since: number;
  /** How long the share lasts once it is back, as people may have ordered meanwhile, ms. */
  readonly forMs: number;
}
