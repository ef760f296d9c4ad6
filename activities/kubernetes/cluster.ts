import { KubeConfig, KubernetesObjectApi } from '@kubernetes/client-node';
import { clusterFailure } from './cluster-failure.ts';
import type { KindWatch } from './kind-watch.ts';

/** A cluster as the worker knows it. */
export interface ClusterConnection {
  readonly name: string;
  /** Path of a kubeconfig; null: the pod's own service account. Secrets are in it. */
  readonly kubeconfig: string | null;
  /** A context of the kubeconfig; null: its current one. */
  readonly context: string | null;
}

/** The parts of the API that we talk to. */
export interface Cluster {
  readonly name: string;
  readonly config: KubeConfig;
  readonly objects: KubernetesObjectApi;
  /** By kind and namespace. */
  readonly watches: Map<string, KindWatch>;
}

/** Who we are to server-side apply. */
export const fieldManager = 'lakeshift';

/** Opens nothing: each call of the API is a request of its own. */
export function openCluster({ name, kubeconfig, context }: ClusterConnection): Cluster {
  const config = new KubeConfig();
  if (kubeconfig === null) config.loadFromCluster();
  else config.loadFromFile(kubeconfig);
  if (context !== null) config.setCurrentContext(context);
  return { name, config, objects: KubernetesObjectApi.makeApiClient(config), watches: new Map() };
}

/** Runs calls of the API; every error that comes out is a failure of ours. */
export async function asking<T>(cluster: Pick<Cluster, 'name'>, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw clusterFailure(error, cluster.name, what);
  }
}

/** What is known of a part of an object that may not be there. */
export const partOf = <T extends object>(part: T | undefined): Partial<T> => part ?? {};
