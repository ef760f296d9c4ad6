import { setTimeout as sleep } from 'node:timers/promises';
import { DiscoveryV1Api, makeInformer, type V1EndpointSlice } from '@kubernetes/client-node';
import type { Restartable } from '../../../tools/processes/restartable.ts';
import { configOf, type TestNamespace } from '../kubernetes/cluster.ts';
import { untilItRoutes, type DataPlane, type Side, type Sides } from './sides.ts';

/** Addresses of the ready pods of each side, `host:port`, in order. */
export type Addresses = Readonly<Record<Side, readonly string[]>>;

/** What failed is tried again, not at once, ms. */
const againMs = 200;

/** Makes a data plane of a proxy that was started: it follows the pods of both sides, and routes. When that fails the proxy is stopped. */
export async function plane(
  proxy: { readonly url: string; readonly program: Restartable; readonly stop: () => Promise<void> },
  namespace: TestNamespace,
  sides: Sides,
  follow: (addresses: Addresses) => Promise<void>,
): Promise<DataPlane> {
  try {
    const endpoints = await followEndpoints(namespace, sides, follow);
    const stop = (): Promise<void> => endpoints.stop().finally(proxy.stop);
    await untilItRoutes(proxy.url).catch((error: unknown) =>
      endpoints.stop().then(() => Promise.reject(error as Error)),
    );
    const up = async (): Promise<void> => {
      await proxy.program.up();
      endpoints.again();
      await untilItRoutes(proxy.url);
    };
    return { url: proxy.url, down: () => proxy.program.down(), up, stop };
  } catch (error) {
    await proxy.stop();
    throw error;
  }
}

/**
 * Follows the ready pods of both sides, as an ingress controller does: `follow` gets the newest state, never twice at once, and
 * what happens meanwhile is one change; `again`: it is followed though nothing has happened. What fails is tried again.
 * Settles when the first state was followed; `stop` fails when the last one was not.
 */
async function followEndpoints(
  namespace: TestNamespace,
  sides: Sides,
  follow: (addresses: Addresses) => Promise<void>,
): Promise<{ readonly again: () => void; readonly stop: () => Promise<void> }> {
  const slices = new Map<string, V1EndpointSlice>();
  let [stopped, stale] = [false, true];
  let wake = (): void => undefined;
  let failure: Error | null = null;
  const again = (): void => {
    stale = true;
    wake();
  };
  const informer = await informed(namespace, slices, again);
  const turn = (): Promise<void> => {
    stale = false;
    return follow(addressesOf([...slices.values()], sides));
  };
  const loop = async (): Promise<void> => {
    while (!stopped) {
      if (!stale) {
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      try {
        await turn();
        failure = null;
      } catch (error) {
        [failure, stale] = [error as Error, true];
        await sleep(againMs);
      }
    }
  };
  await turn();
  const following = loop();
  return {
    again,
    stop: async () => {
      stopped = true;
      wake();
      await informer.stop();
      await following;
      if (failure !== null) throw failure;
    },
  };
}

/** Keeps the map what the cluster has, and tells of each change. */
async function informed(
  { admin, name: namespace }: TestNamespace,
  slices: Map<string, V1EndpointSlice>,
  changed: () => void,
): Promise<{ readonly stop: () => Promise<void> }> {
  const config = configOf(admin);
  const discovery = config.makeApiClient(DiscoveryV1Api);
  const informer = makeInformer(config, `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, () =>
    discovery.listNamespacedEndpointSlice({ namespace }),
  );
  let stopped = false;
  const keep = (slice: V1EndpointSlice): void => {
    slices.set(slice.metadata?.name ?? '', slice);
    changed();
  };
  const again = (): void =>
    void setTimeout(() => {
      if (!stopped) informer.start().catch(again);
    }, againMs);
  informer.on('add', keep);
  informer.on('update', keep);
  informer.on('delete', ({ metadata }) => {
    slices.delete(metadata?.name ?? '');
    changed();
  });
  informer.on('error', again);
  await informer.start();
  return {
    stop: () => {
      stopped = true;
      return informer.stop();
    },
  };
}

function addressesOf(slices: readonly V1EndpointSlice[], sides: Sides): Addresses {
  const of = (side: Side): readonly string[] =>
    slices
      .filter(({ metadata }) => metadata?.labels?.['kubernetes.io/service-name'] === sides[side])
      .flatMap(({ endpoints, ports }) =>
        (endpoints ?? [])
          .filter(({ conditions }) => conditions?.ready !== false)
          .flatMap(({ addresses }) => addresses.map((address) => `${address}:${ports?.[0]?.port ?? 0}`)),
      )
      .sort();
  return { stable: of('stable'), candidate: sides.candidate === undefined ? [] : of('candidate') };
}
