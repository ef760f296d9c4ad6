import type { V1Service } from '@kubernetes/client-node';
import type { ClusterFacts, ClusterLooks } from '../../contracts/cluster-facts.ts';
import type { ServiceFacts } from '../../contracts/workload.ts';
import { holderOf } from './claim.ts';
import type { Cluster } from './cluster.ts';
import { lookWorkload } from './look-workload.ts';
import { namesOf, readObject } from './objects.ts';
import { ownerOf } from './owner.ts';

/** Looks at the workloads and Services of a spec; touches nothing. */
export async function lookObjects(
  cluster: Cluster,
  { kind = 'Deployment', namespace, workloads, services }: ClusterLooks,
): Promise<Omit<ClusterFacts, 'route'>> {
  const [seenWorkloads, seenServices] = await Promise.all([
    Promise.all(workloads.map((name) => lookWorkload(cluster, { kind, namespace, name }))),
    Promise.all(services.map((name) => lookService(cluster, namespace, name))),
  ]);
  return { workloads: seenWorkloads, services: seenServices };
}

async function lookService(cluster: Cluster, namespace: string, name: string): Promise<ServiceFacts> {
  const found = await readObject<V1Service>(cluster, { kind: 'Service', namespace, name });
  const ref = { namespace, name };
  if (found === null) {
    const nearby = (await namesOf(cluster, 'Service', namespace)).map((other) => `${namespace}/${other}`);
    return { ...ref, uid: null, selector: {}, ownedBy: null, holder: null, nearby };
  }
  return {
    ...ref,
    uid: found.metadata?.uid ?? null,
    selector: found.spec?.selector ?? {},
    ownedBy: ownerOf(found),
    holder: holderOf(found),
    nearby: [],
  };
}
