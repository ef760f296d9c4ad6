import type { Activities } from '../contracts/activities.ts';
import { createApprovalActivities, type ApprovalDependencies } from './approvals/index.ts';
import { createClusterActivities, createClusters, type ClusterDependencies } from './kubernetes/index.ts';
import { createLedgerActivities, type LedgerDependencies } from './ledger/index.ts';
import { createShadowActivities } from './shadow/index.ts';
import { createSqlActivities, type SqlDependencies } from './sql/index.ts';
import { createTrafficActivities, type TrafficDependencies } from './traffic/activities.ts';
import { createTrinoActivities } from './trino/index.ts';

/** Everything that the activities of a worker are given; `worker/dependencies.ts` makes it. */
export type ActivityDependencies = SqlDependencies &
  ClusterDependencies &
  TrafficDependencies &
  LedgerDependencies &
  ApprovalDependencies;

/** All activities, by the names that workflows call. */
export const createActivities = (dependencies: ActivityDependencies): Activities => {
  const sql = createSqlActivities(dependencies);
  const clusters = createClusters(dependencies);
  const { claimObjects, releaseObjects, raiseFences, ...cluster } = createClusterActivities(clusters);
  return {
    ...sql,
    ...cluster,
    ...createTrafficActivities(dependencies, clusters),
    ...createShadowActivities(clusters),
    ...createTrinoActivities(),
    ...createLedgerActivities(dependencies),
    ...createApprovalActivities(dependencies),
    claim: ({ site, plan }) =>
      plan.dialect === 'kubernetes' ? claimObjects(site, site.objects ?? []) : sql.claim({ site, plan }),
    release: ({ site }) => (site.objects === undefined ? sql.release({ site }) : releaseObjects(site, site.objects)),
    raiseFence: ({ site }) => (site.objects === undefined ? sql.raiseFence({ site }) : raiseFences(site, site.objects)),
  };
};
