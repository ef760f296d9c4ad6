import type { V1Pod } from '@kubernetes/client-node';
import type { WorkloadRef } from '../../contracts/workload.ts';
import { partOf, type Cluster } from './cluster.ts';
import { listObjects } from './objects.ts';
import type { Workload } from './roll-status.ts';

/**
 * How many pods of a Deployment were told to end and have not yet. Its status does not count them: a controller takes a
 * pod for gone as soon as it was told, and only with a strategy of its own (`Recreate`) waits for more.
 */
export async function endingPods(
  cluster: Cluster,
  { namespace, name }: WorkloadRef,
  found: Workload | null,
): Promise<number> {
  const labels = partOf(found?.spec).selector?.matchLabels ?? {};
  const pods = await listObjects<V1Pod>(cluster, 'Pod', namespace, labels);
  return pods.filter((pod) => isOf(name, pod) && isEnding(pod)).length;
}

/** Made by a ReplicaSet of the Deployment; these are named for it and the hash of their template. */
const isOf = (deployment: string, { metadata }: V1Pod): boolean => {
  const { labels = {}, ownerReferences = [] } = partOf(metadata);
  const owner = `${deployment}-${labels['pod-template-hash'] ?? ''}`;
  return ownerReferences.some(
    ({ kind, name, controller }) => controller === true && kind === 'ReplicaSet' && name === owner,
  );
};

/** One whose containers have all ended only waits to be removed. */
const isEnding = ({ metadata, status }: V1Pod): boolean =>
  metadata?.deletionTimestamp !== undefined && !['Succeeded', 'Failed'].includes(status?.phase ?? '');
