import type { IstioRoute } from '../../contracts/route.ts';
import type { Cluster } from '../kubernetes/cluster.ts';
import { listObjects, type FoundObject } from '../kubernetes/objects.ts';

interface DestinationRule extends FoundObject {
  readonly spec?: { readonly host?: string; readonly subsets?: readonly { readonly name: string }[] };
}

/** The Service of that namespace which a host means; null: it is somewhere else. */
export function hostIn(namespace: string, host: string): string | null {
  const [name = '', ...rest] = host.split('.');
  const here = ['', namespace, `${namespace}.svc`, `${namespace}.svc.cluster.local`];
  return here.includes(rest.join('.')) ? name : null;
}

/**
 * Which subset of a route no DestinationRule of its namespace knows: Envoy would answer 503 for it. Null: none, as far
 * as one can see from here.
 */
export async function lackingSubset(
  cluster: Cluster,
  { namespace, stable, candidate }: IstioRoute,
): Promise<string | null> {
  const named = [stable, candidate].flatMap((side) => {
    const [host = '', subset] = side.split('#');
    const service = hostIn(namespace, host);
    return subset === undefined || service === null ? [] : [{ service, subset }];
  });
  if (named.length === 0) return null;
  const rules = await listObjects<DestinationRule>(cluster, 'DestinationRule', namespace);
  const lacking = named.find(({ service, subset }) => !rules.some((rule) => knows(rule, namespace, service, subset)));
  return lacking === undefined
    ? null
    : `no DestinationRule in ${namespace} has a subset ${lacking.subset} of host ${lacking.service}`;
}

const knows = ({ spec }: DestinationRule, namespace: string, service: string, subset: string): boolean =>
  isOf(spec?.host ?? '', namespace, service) && (spec?.subsets ?? []).some(({ name }) => name === subset);

const isOf = (host: string, namespace: string, service: string): boolean =>
  host.startsWith('*')
    ? `${service}.${namespace}.svc.cluster.local`.endsWith(host.slice(1))
    : hostIn(namespace, host) === service;
