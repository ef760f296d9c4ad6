import { setTimeout as sleep } from 'node:timers/promises';
import {
  ApiextensionsV1Api,
  PatchStrategy,
  setHeaderOptions,
  type V1CustomResourceDefinition,
} from '@kubernetes/client-node';
import { getCustomResources } from '../../../tools/custom-resources/get.ts';
import type { CustomResources } from '../../../tools/custom-resources/sources.ts';
import type { ClusterAccess } from '../../../tools/kubernetes/kubeconfig.ts';
import { configOf } from './config.ts';

const servedWithinMs = 60_000;

/** Makes a project's resources known to the cluster, and waits until it serves them. */
export async function applyCustomResources(admin: ClusterAccess, of: CustomResources): Promise<void> {
  const api = configOf(admin).makeApiClient(ApiextensionsV1Api);
  const definitions = await getCustomResources(of);
  for (const body of definitions) {
    // the client's `create` would leave out what begins with `x-kubernetes-`; a patch is passed on as it is
    await api.patchCustomResourceDefinition(
      { name: body.metadata?.name ?? '', body, fieldManager: 'test', force: true },
      setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply),
    );
  }
  const names = definitions.map(({ metadata }) => metadata?.name ?? '');
  const until = Date.now() + servedWithinMs;
  for (const name of names) {
    while (!isServed(await api.readCustomResourceDefinition({ name }))) {
      if (Date.now() > until) throw new Error(`${name} is not served within ${servedWithinMs / 1000} s`);
      await sleep(50);
    }
  }
}

const isServed = ({ status }: V1CustomResourceDefinition): boolean =>
  (status?.conditions ?? []).some(({ type, status: holds }) => type === 'Established' && holds === 'True');
