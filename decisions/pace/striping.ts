/** What was rewritten in the passes after the first of one super-chunk: the first has to make the room for them. */
export interface PassCount {
  readonly rows: number;
  /** Of them, how many touched no index. */
  readonly hot: number;
}

/** Rows below which a share says nothing: of a small heap, a pass is over before pruning can follow. */
const enough = 5_000;
/** Share below which the passes cost more than they spare. */
const worth = 0.35;

/** Whether passes in stripes spare the indexes enough to be worth going over each page many times. */
export const passesPay = ({ rows, hot }: PassCount): boolean => rows < enough || hot / rows >= worth;

/** Why the rows are gone over in plain order: who holds pruning back, as far as could be seen. */
export const plainBecause = (heldBy: string | null, unseen: boolean): string => {
  if (heldBy !== null) return `${heldBy} holds pruning back`;
  return unseen ? 'pruning is held back by somebody whom our role may not see' : 'updates find no room on their pages';
};
