import type { Activities } from '../contracts/activities.ts';
import { createApprovalActivities, type ApprovalDependencies } from './approvals/index.ts';
import { createLedgerActivities, type LedgerDependencies } from './ledger/index.ts';
import { createSqlActivities, type SqlDependencies } from './sql/index.ts';

/** Everything that the activities of a worker are given; `worker/dependencies.ts` makes it. */
export type ActivityDependencies = SqlDependencies & LedgerDependencies & ApprovalDependencies;

/** All activities, by the names that workflows call. */
export const createActivities = (dependencies: ActivityDependencies): Activities => ({
  ...createSqlActivities(dependencies),
  ...createLedgerActivities(dependencies),
  ...createApprovalActivities(dependencies),
});
