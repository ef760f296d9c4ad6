import { DiscoveryV1Api, makeInformer, type V1EndpointSlice } from '@kubernetes/client-node';
import { configOf, type TestNamespace } from '../kubernetes/cluster.ts';
import { untilItRoutes, type DataPlane, type Side, type Sides } from './sides.ts';

/** Addresses of the ready pods of each side, `host:port`, in order. */
export type Addresses = Readonly<Record<Side, readonly string[]>>;

/** Makes a data plane of a proxy that was started: it follows the pods of both sides, and routes. When that fails the proxy is stopped. */
export async function plane(
  proxy: { readonly url: string; readonly stop: () => Promise<void> },
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
    return { url: proxy.url, stop };
  } catch (error) {
    await proxy.stop();
    throw error;
  }
}

/**
 * Follows the ready pods of both sides, as an ingress controller does: `follow` gets the newest state, never twice at once, and
 * what happens meanwhile is one change. Settles when the first state was followed; `stop` fails with what `follow` has failed with.
 */
async function followEndpoints(
  namespace: TestNamespace,
  sides: Sides,
  follow: (addresses: Addresses) => Promise<void>,
): Promise<{ readonly stop: () => Promise<void> }> {
  const config = configOf(namespace.admin);
  const discovery = config.makeApiClient(DiscoveryV1Api);
  const slices = new Map<string, V1EndpointSlice>();
  const informer = makeInformer(config, `/apis/discovery.k8s.io/v1/namespaces/${namespace.name}/endpointslices`, () =>
    discovery.listNamespacedEndpointSlice({ namespace: namespace.name }),
  );
  let [stopped, stale] = [false, true];
  let wake = (): void => undefined;
  const see = (change: () => void) => {
    change();
    stale = true;
    wake();
  };
  const keep = (slice: V1EndpointSlice): void => see(() => slices.set(slice.metadata?.name ?? '', slice));
  informer.on('add', keep);
  informer.on('update', keep);
  informer.on('delete', (slice) => see(() => slices.delete(slice.metadata?.name ?? '')));
  informer.on('error', () => {
    setTimeout(() => void (stopped ? undefined : informer.start()), 200);
  });
  await informer.start();

  const turn = async (): Promise<void> => {
    stale = false;
    await follow(addressesOf([...slices.values()], sides));
  };
  await turn();
  const loop = async (): Promise<void> => {
    while (!stopped) {
      if (stale) await turn();
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  const following = loop();
  // whoever stops it hears of it
  following.catch(() => undefined);
  return {
    stop: async () => {
      stopped = true;
      wake();
      await informer.stop();
      await following;
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
