import type { V1Service } from '@kubernetes/client-node';
import type { ClusterFacts, ClusterLooks, SelectorFacts } from '../../contracts/cluster-facts.ts';
import type { ServiceFacts } from '../../contracts/workload.ts';
import { holderOf } from './claim.ts';
import type { Cluster } from './cluster.ts';
import { lookWorkload } from './look-workload.ts';
import { listObjects, namesOf, readObject } from './objects.ts';
import { ownerOf } from './owner.ts';

/** Looks at the workloads and Services of a spec; touches nothing. */
export async function lookObjects(
  cluster: Cluster,
  { kind = 'Deployment', namespace, workloads, services, selectors }: ClusterLooks,
): Promise<Omit<ClusterFacts, 'route'>> {
  const [seenWorkloads, seenServices] = await Promise.all([
    Promise.all(workloads.map((name) => lookWorkload(cluster, { kind, namespace, name }))),
    Promise.all(services.map((name) => lookService(cluster, namespace, name))),
  ]);
  const seen = { workloads: seenWorkloads, services: seenServices };
  return selectors === undefined ? seen : { ...seen, selectors: await lookSelectors(cluster, namespace) };
}

async function lookSelectors(cluster: Cluster, namespace: string): Promise<readonly SelectorFacts[]> {
  const services = await listObjects<V1Service>(cluster, 'Service', namespace);
  return services.flatMap(({ metadata, spec }) =>
    Object.keys(spec?.selector ?? {}).length === 0
      ? []
      : [{ service: metadata?.name ?? '', selector: spec?.selector ?? {} }],
  );
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
