import type { Activities } from '../contracts/activities.ts';
import { createApprovalActivities, type ApprovalDependencies } from './approvals/index.ts';
import { createClusterActivities, type ClusterDependencies } from './kubernetes/index.ts';
import { createLedgerActivities, type LedgerDependencies } from './ledger/index.ts';
import { createSqlActivities, type SqlDependencies } from './sql/index.ts';

/** Everything that the activities of a worker are given; `worker/dependencies.ts` makes it. */
export type ActivityDependencies = SqlDependencies & ClusterDependencies & LedgerDependencies & ApprovalDependencies;

/** All activities, by the names that workflows call. */
export const createActivities = (dependencies: ActivityDependencies): Activities => {
  const sql = createSqlActivities(dependencies);
  const { claimWorkload, releaseWorkload, raiseWorkloadFence, ...cluster } = createClusterActivities(dependencies);
  return {
    ...sql,
    ...cluster,
    ...createLedgerActivities(dependencies),
    ...createApprovalActivities(dependencies),
    claim: ({ site, plan }) =>
      plan.dialect === 'kubernetes' ? claimWorkload(site, plan.object) : sql.claim({ site, plan }),
    release: ({ site }) => (site.workload === undefined ? sql.release({ site }) : releaseWorkload(site, site.workload)),
    raiseFence: ({ site }) =>
      site.workload === undefined ? sql.raiseFence({ site }) : raiseWorkloadFence(site, site.workload),
  };
};
