import type { Activities } from '../../contracts/activities.ts';
import type { WorkloadRef } from '../../contracts/workload.ts';
import type { Site } from '../../contracts/activities.ts';
import { awaitRollout } from './await-rollout.ts';
import { claimWorkload, raiseWorkloadFence, releaseWorkload } from './claim.ts';
import { openCluster, type ClusterConnection } from './cluster.ts';
import { lookWorkload } from './look-workload.ts';
import { applyWorkload, holdRollout } from './roll.ts';

/** What the activities on clusters are given. `cluster` throws TARGET_UNKNOWN for a name that is not in the configuration. */
export interface ClusterDependencies {
  readonly cluster: (name: string) => ClusterConnection;
}

/** The activities of this folder; claim, release and fence are those of the plan's own kind of target. */
export type ClusterActivities = Pick<Activities, 'lookWorkload' | 'applyWorkload' | 'awaitRollout' | 'holdRollout'> & {
  readonly claimWorkload: (
    site: Site,
    workload: WorkloadRef & { readonly uid: string },
  ) => ReturnType<Activities['claim']>;
  readonly releaseWorkload: (site: Site, workload: WorkloadRef) => Promise<void>;
  readonly raiseWorkloadFence: (site: Site, workload: WorkloadRef) => Promise<void>;
};

/** Everything that is done to a cluster. */
export function createClusterActivities({ cluster }: ClusterDependencies): ClusterActivities {
  const at = (target: string) => openCluster(cluster(target));
  return {
    lookWorkload: ({ target, namespace, name }) => lookWorkload(at(target), namespace, name),
    applyWorkload: ({ site, workload, apply }) => applyWorkload(at(site.target), site, workload, apply),
    awaitRollout: ({ target, workload, sliceMs }) => awaitRollout(at(target), workload, sliceMs),
    holdRollout: ({ site, workload, paused }) => holdRollout(at(site.target), site, workload, paused),
    claimWorkload: (site, workload) => claimWorkload(at(site.target), site, workload),
    releaseWorkload: (site, workload) => releaseWorkload(at(site.target), site, workload),
    raiseWorkloadFence: (site, workload) => raiseWorkloadFence(at(site.target), site, workload),
  };
}
