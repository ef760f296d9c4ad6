import type { Coordinator, FollowUps } from './running.ts';
import type { StageBase } from './stage-base.ts';

/** Keeps the old side ready for a while: until then going back is a change of the route. */
export interface KeepStage extends StageBase {
  readonly kind: 'keep';
  readonly forMs: number;
}

/** Keeps the side that was left until no query runs there any more. */
export interface DrainStage extends StageBase {
  readonly kind: 'drain';
  readonly coordinator: Coordinator;
  /** How long it waits before a person is called, ms. */
  readonly timeoutMs: number;
  /** What is no longer needed then; null: there is nothing. */
  readonly followUps: FollowUps | null;
}
