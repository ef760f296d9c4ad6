import { ApiException, KubernetesObjectApi, type KubernetesObject } from '@kubernetes/client-node';
import type { ClusterAccess } from '../../../tools/kubernetes/kubeconfig.ts';
import { configOf } from '../kubernetes/cluster.ts';

/** An object of any kind, with what it has beside its metadata. */
export type AnyObject = KubernetesObject & {
  readonly metadata: { readonly name: string; readonly namespace?: string };
} & Readonly<Record<string, unknown>>;

/** Creates objects of any kind, in order; `remove` takes them away again, latest first. */
export async function createAll(
  admin: ClusterAccess,
  objects: readonly AnyObject[],
): Promise<{ readonly remove: () => Promise<void> }> {
  const api = KubernetesObjectApi.makeApiClient(configOf(admin));
  for (const object of objects) await api.create(object);
  const remove = async (): Promise<void> => {
    for (const object of objects.toReversed()) {
      await api.delete(object).catch((error: unknown) => {
        // gone with its namespace
        if (!(error instanceof ApiException && error.code === 404)) throw error;
      });
    }
  };
  return { remove };
}
