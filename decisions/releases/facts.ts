import type { ClusterFacts } from '../../contracts/cluster-facts.ts';
import type { ServiceFacts, WorkloadFacts } from '../../contracts/workload.ts';

/** The facts of the workload that was looked at in that place. */
export function workloadAt({ workloads }: ClusterFacts, place: number): WorkloadFacts {
  const facts = workloads[place];
  if (facts === undefined) throw new TypeError(`the cluster was not asked for workload ${place}`);
  return facts;
}

/** The facts of the Service that was looked at in that place. */
export function serviceAt({ services }: ClusterFacts, place: number): ServiceFacts {
  const facts = services[place];
  if (facts === undefined) throw new TypeError(`the cluster was not asked for Service ${place}`);
  return facts;
}

/** Who holds one of the objects; null: nobody. */
export const holderIn = ({ workloads, services, route }: ClusterFacts): string | null =>
  [...workloads, ...services, ...(route === null ? [] : [route])].find(({ holder }) => holder !== null)?.holder ?? null;
