import type { V1Pod, V1StatefulSet } from '@kubernetes/client-node';
import type { Site } from '../../contracts/activities.ts';
import type { WorkloadRef } from '../../contracts/workload.ts';
import { held } from './claim.ts';
import { partOf, type Cluster } from './cluster.ts';
import { deleteObject, listObjects } from './objects.ts';
import { isSeen } from './roll-status.ts';

/**
 * Removes pods of a StatefulSet that are to be replaced and are not ready. Its controller waits for each pod to become
 * ready before it goes on, also for one whose template has been taken back: that one never does (kubernetes.io,
 * StatefulSets, *Forced rollback*). A pod that is not ready serves nobody, and one in its place is what was asked for.
 * How many; 0 too when the controller has not seen the template yet.
 */
export const removeBroken = (cluster: Cluster, site: Site, workload: WorkloadRef): Promise<number> =>
  held(cluster, site, workload, async (found: V1StatefulSet) => {
    if (!isSeen(found)) return 0;
    const labels = partOf(found.spec).selector?.matchLabels ?? {};
    const pods = await listObjects<V1Pod>(cluster, 'Pod', workload.namespace, labels);
    const broken = pods.filter((pod) => isOf(found, pod) && isToBeReplaced(found, pod) && !isReady(pod));
    for (const { metadata } of broken) {
      const { name = '', uid, resourceVersion } = partOf(metadata);
      // one that has become ready in between is another version, and stays
      await deleteObject(cluster, { kind: 'Pod', namespace: workload.namespace, name }, uid, resourceVersion);
    }
    return broken.length;
  });

const isOf = (set: V1StatefulSet, { metadata }: V1Pod): boolean =>
  (metadata?.ownerReferences ?? []).some(({ uid, controller }) => controller === true && uid === set.metadata?.uid);

function isToBeReplaced(set: V1StatefulSet, { metadata }: V1Pod): boolean {
  const { name = '', labels, deletionTimestamp } = partOf(metadata);
  if (deletionTimestamp !== undefined || ordinalOf(name) < firstReplaced(set)) return false;
  return labels?.['controller-revision-hash'] !== set.status?.updateRevision;
}

const ordinalOf = (pod: string): number => Number(/-(\d+)$/.exec(pod)?.[1] ?? -1);

/** The partition counts from the first pod, whatever number that has. */
function firstReplaced({ spec }: V1StatefulSet): number {
  const { ordinals, updateStrategy } = partOf(spec);
  return (ordinals?.start ?? 0) + (updateStrategy?.rollingUpdate?.partition ?? 0);
}

const isReady = ({ status }: V1Pod): boolean =>
  (status?.conditions ?? []).some((condition) => condition.type === 'Ready' && condition.status === 'True');
