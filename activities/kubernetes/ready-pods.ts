import type { WorkloadRef } from '../../contracts/workload.ts';
import type { Cluster } from './cluster.ts';
import { lookObject } from './look-object.ts';
import { readObject } from './objects.ts';
import type { Workload } from './roll-status.ts';

/** How many pods of a workload are ready. What a watch tells may be of a moment ago: that none is, is read once more. */
export async function readyPods(cluster: Cluster, { kind, namespace, name }: WorkloadRef): Promise<number> {
  const ref = { kind, namespace, name };
  const watched = readyOf((await lookObject<Workload>(cluster, ref)).object);
  return watched > 0 ? watched : readyOf(await readObject<Workload>(cluster, ref));
}

const readyOf = (found: Workload | null): number => found?.status?.readyReplicas ?? 0;
