/** Who has to approve before a stage begins. */
export interface ApprovalNeed {
  /** Null: any approver. */
  readonly group: string | null;
  /** How many different people. */
  readonly count: number;
  /** True: who started the deployment does not count. */
  readonly notByAuthor: boolean;
}
