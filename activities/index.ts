import type { Activities, Site } from '../contracts/activities.ts';
import type { HeldModel } from '../contracts/model.ts';
import type { HeldObject } from '../contracts/workload.ts';
import { createApprovalActivities, type ApprovalDependencies } from './approvals/index.ts';
import { createClusterActivities, createClusters, type ClusterDependencies } from './kubernetes/index.ts';
import { createLedgerActivities, type LedgerDependencies } from './ledger/index.ts';
import { createRegistries, createRegistryActivities, type RegistryDependencies } from './mlflow/index.ts';
import { createShadowActivities } from './shadow/index.ts';
import { createSqlActivities, type SqlDependencies } from './sql/index.ts';
import { createTrafficActivities, type TrafficDependencies } from './traffic/activities.ts';
import { createTrinoActivities } from './trino/index.ts';

/** Everything that the activities of a worker are given; `worker/dependencies.ts` makes it. */
export type ActivityDependencies = SqlDependencies &
  ClusterDependencies &
  RegistryDependencies &
  TrafficDependencies &
  LedgerDependencies &
  ApprovalDependencies;

/** All activities, by the names that workflows call. */
export const createActivities = (dependencies: ActivityDependencies): Activities => {
  const sql = createSqlActivities(dependencies);
  const clusters = createClusters(dependencies);
  const { claimObjects, releaseObjects, raiseFences, ...cluster } = createClusterActivities(clusters);
  const registries = createRegistries(dependencies);
  const { claimModel, releaseModel, raiseModelFence, ...registry } = createRegistryActivities(registries);
  return {
    ...sql,
    ...cluster,
    ...registry,
    ...createTrafficActivities(dependencies, clusters, registries),
    ...createShadowActivities(clusters),
    ...createTrinoActivities(),
    ...createLedgerActivities(dependencies),
    ...createApprovalActivities(dependencies),
    claim({ site, plan }) {
      if (plan.dialect === 'mlflow') return claimModel(site, plan.object);
      return plan.dialect === 'kubernetes' ? claimObjects(site, site.objects ?? []) : sql.claim({ site, plan });
    },
    release: ({ site }) =>
      heldBy(site, {
        table: () => sql.release({ site }),
        objects: (objects) => releaseObjects(site, objects),
        model: (model) => releaseModel(site, model),
      }),
    raiseFence: ({ site }) =>
      heldBy(site, {
        table: () => sql.raiseFence({ site }),
        objects: (objects) => raiseFences(site, objects),
        model: (model) => raiseModelFence(site, model),
      }),
  };
};

/** What is done to each kind of thing that a deployment holds. */
interface Deeds<T> {
  readonly table: () => T;
  readonly objects: (objects: readonly HeldObject[]) => T;
  readonly model: (model: HeldModel) => T;
}

const heldBy = <T>({ objects, model }: Site, deeds: Deeds<T>): T => {
  if (model !== undefined) return deeds.model(model);
  return objects === undefined ? deeds.table() : deeds.objects(objects);
};
