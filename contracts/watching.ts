import type { ComparedCounts, Gate, GateWindow, Probe } from './gate.ts';
import type { ModelQuestion, ModelState } from './model.ts';
import type { Route, RouteState } from './route.ts';
import type { WorkloadRef } from './workload.ts';

/** What a look at a share is asked. */
export interface WatchInput {
  readonly target: string;
  readonly route: Route;
  readonly gate: Gate | null;
  /** Windows that began before do not count, epoch ms. */
  readonly since: number;
  /** How long to wait before the look, ms. */
  readonly waitMs: number;
  /** The share that is to be found, whole percent: another one is looked at twice. */
  readonly weight?: number;
  /** What is read in the registry too; absent: nothing. */
  readonly model?: ModelQuestion;
  /** Whose pods get that share; absent: no pods do, or nobody asks. */
  readonly workload?: WorkloadRef;
  /** What else is looked at meanwhile; absent: nothing. */
  readonly dependencies?: readonly DependencyLook[];
}

/** A dependency to look at while an activity waits. */
export interface DependencyLook {
  readonly name: string;
  readonly probe: Probe;
  /** Until its first look, ms, and between two of them. */
  readonly waitMs: number;
  readonly everyMs: number;
  /** True: good answers are no news. All else ends the waiting at once. */
  readonly isWell: boolean;
}

/** What was seen of a dependency. */
export interface DependencyAnswer {
  readonly name: string;
  /** Good answers, */
  readonly good: number;
  /** and what was wrong with the one after them; null: nothing. */
  readonly fault: string | null;
  /** How long ago the last one came, ms. */
  readonly agoMs: number;
}

/** What it saw. */
export interface WatchFacts {
  readonly route: RouteState;
  /** The latest windows that are over, oldest first. */
  readonly windows: readonly GateWindow[];
  /** Why there are none, or null. */
  readonly blindBecause: string | null;
  /** Of those dependencies that were looked at; absent from workers of before. */
  readonly answers?: readonly DependencyAnswer[];
  /** How many pods of the workload are ready; absent: nobody asked. */
  readonly readyPods?: number;
  /** By the name of the comparison, since `since`; null: not measured. Absent: the gate has none. */
  readonly compared?: Readonly<Record<string, ComparedCounts | null>>;
  /** What the registry says; null: it could not be asked. Absent: it was not to be. */
  readonly model?: ModelState | null;
}
