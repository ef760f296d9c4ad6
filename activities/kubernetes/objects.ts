import { PatchStrategy, type KubernetesObject, type V1ObjectMeta } from '@kubernetes/client-node';
import type { ObjectKind } from '../../contracts/catalog.ts';
import type { JsonObject } from '../../contracts/json.ts';
import type { ObjectRef } from '../../contracts/workload.ts';
import { asking, fieldManager, type Cluster } from './cluster.ts';

/** The version of the API in which each kind is spoken of. */
export const apiVersions: Readonly<Record<ObjectKind, string>> = {
  Deployment: 'apps/v1',
  StatefulSet: 'apps/v1',
  Pod: 'v1',
  HorizontalPodAutoscaler: 'autoscaling/v2',
  Service: 'v1',
  ConfigMap: 'v1',
  HTTPRoute: 'gateway.networking.k8s.io/v1',
  VirtualService: 'networking.istio.io/v1',
  DestinationRule: 'networking.istio.io/v1',
};

/** Where each kind lies in addresses. */
const plurals: Readonly<Record<ObjectKind, string>> = {
  Deployment: 'deployments',
  StatefulSet: 'statefulsets',
  Pod: 'pods',
  HorizontalPodAutoscaler: 'horizontalpodautoscalers',
  Service: 'services',
  ConfigMap: 'configmaps',
  HTTPRoute: 'httproutes',
  VirtualService: 'virtualservices',
  DestinationRule: 'destinationrules',
};

/** The path of the objects of a kind in a namespace. */
export const addressOf = (kind: ObjectKind, namespace: string): string => {
  const version = apiVersions[kind];
  return `/${version.includes('/') ? 'apis' : 'api'}/${version}/namespaces/${namespace}/${plurals[kind]}`;
};

/** An object as it was read, with a version that a write can be bound to. */
export interface FoundObject extends KubernetesObject {
  readonly metadata?: V1ObjectMeta;
}

/** How an object is called in messages. */
export const nameOf = ({ kind, namespace, name }: ObjectRef): string => `${kind} ${namespace}/${name}`;

const header = ({ kind, namespace, name }: ObjectRef) => ({
  apiVersion: apiVersions[kind],
  kind,
  metadata: { namespace, name },
});

/** An object; null: there is none of this name. `T` is what the API server has of this kind. */
export const readObject = async <T extends FoundObject>(cluster: Cluster, ref: ObjectRef): Promise<T | null> =>
  asking(cluster, nameOf(ref), () =>
    cluster.objects.read<T>(header(ref)).catch((error: unknown) => {
      if (isStatus(error, 404)) return null;
      throw error;
    }),
  );

/** An object (null: there is none of this name) and the version of its whole kind at that moment, as a watch needs it. */
export async function readListed(
  { objects }: Cluster,
  { kind, namespace, name }: ObjectRef,
): Promise<{ readonly object: FoundObject | null; readonly version: string }> {
  const only = `metadata.name=${name}`;
  const found = await objects.list(apiVersions[kind], kind, namespace, undefined, undefined, undefined, only);
  return { object: found.items[0] ?? null, version: found.metadata?.resourceVersion ?? '' };
}

/** Names of the objects of a kind in a namespace, the first hundred. */
export async function namesOf(cluster: Cluster, kind: ObjectKind, namespace: string): Promise<readonly string[]> {
  const { items } = await asking(cluster, `${kind} in ${namespace}`, () =>
    cluster.objects.list(
      apiVersions[kind],
      kind,
      namespace,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      100,
    ),
  );
  return items.map(({ metadata }) => metadata?.name ?? '');
}

/** The objects of a kind in a namespace, those with these labels. */
export async function listObjects<T extends FoundObject>(
  cluster: Cluster,
  kind: ObjectKind,
  namespace: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<readonly T[]> {
  const selector = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  const { items } = await asking(cluster, `${kind} in ${namespace}`, () =>
    cluster.objects.list<T>(
      apiVersions[kind],
      kind,
      namespace,
      undefined,
      undefined,
      undefined,
      undefined,
      selector.join(','),
    ),
  );
  return items;
}

/** A change of an object in exactly the version that was read; null takes a field away. */
export async function merge(
  cluster: Cluster,
  ref: ObjectRef,
  found: FoundObject,
  change: { readonly metadata: object } & Record<string, unknown>,
): Promise<void> {
  const { resourceVersion = '' } = found.metadata ?? {};
  const { apiVersion, kind, metadata } = header(ref);
  const body = { ...change, apiVersion, kind, metadata: { ...change.metadata, ...metadata, resourceVersion } };
  await asking(cluster, nameOf(ref), () =>
    cluster.objects.patch(body, undefined, undefined, fieldManager, undefined, PatchStrategy.MergePatch),
  );
}

/** Applies fields in our name, server-side. Whoever manages one of these fields loses it: that was in the plan. */
export async function applyObject(
  cluster: Cluster,
  ref: ObjectRef,
  { metadata, ...fields }: JsonObject & { readonly metadata: JsonObject },
): Promise<void> {
  const { apiVersion, kind, metadata: named } = header(ref);
  const body = { ...fields, apiVersion, kind, metadata: { ...metadata, ...named } };
  await asking(cluster, `apply to ${nameOf(ref)}`, () =>
    cluster.objects.patch(body, undefined, undefined, fieldManager, true, PatchStrategy.ServerSideApply),
  );
}

/**
 * Deletes an object, and in the background what belongs to it; with a version, only as it was read. One that is not there
 * is gone already, and another version is left alone.
 */
export const deleteObject = async (
  cluster: Cluster,
  ref: ObjectRef,
  uid: string | undefined,
  resourceVersion?: string,
): Promise<void> => {
  const only = { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  const preconditions = Object.keys(only).length === 0 ? {} : { preconditions: only };
  await asking(cluster, `delete ${nameOf(ref)}`, () =>
    cluster.objects
      .delete(header(ref), undefined, undefined, undefined, undefined, 'Background', preconditions)
      .catch((error: unknown) => {
        const stays = resourceVersion !== undefined && isStatus(error, 409);
        if (!stays && !isStatus(error, 404)) throw error;
      }),
  );
};

const isStatus = (error: unknown, status: number): boolean =>
  error instanceof Error && 'code' in error && error.code === status;
