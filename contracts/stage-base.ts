import type { ApprovalNeed } from './approval-need.ts';
import type { StageKind } from './catalog.ts';

/** What every stage has. */
export interface StageBase {
  readonly kind: StageKind;
  /** Unique in the plan; what operators name as the expected stage. */
  readonly name: string;
  /** One line for people. */
  readonly title: string;
  /** What taking it back does, in one line; null: it can't be taken back. */
  readonly undoTitle: string | null;
  /** An approval that must be given before the stage begins. */
  readonly approve: ApprovalNeed | null;
  readonly estimateMs: number | null;
  /** Which of the plan's parts it belongs to; absent: the plan has one. */
  readonly part?: number;
}
