import { randomBytes } from 'node:crypto';
import { freePort } from '../../../tools/ports.ts';
import { startTraefik as startServer } from '../../../tools/traefik/server.ts';
import { withCustomResources, type TestNamespace } from '../kubernetes/cluster.ts';
import { ask } from '../on-demand.ts';
import { required } from '../servers.ts';
import { gatewayObjects } from './gateway-objects.ts';
import { createAll } from './objects.ts';
import { untilItRoutes, type DataPlane, type Sides } from './sides.ts';
import { asTraefik } from './traefik-rights.ts';

/** Traefik as a Gateway: the weights of the two `backendRefs` of its HTTPRoute move requests. */
export interface TraefikPlane extends DataPlane {
  /** Name of the HTTPRoute, in the namespace of the test. */
  readonly route: string;
}

const answer = (path: string): Promise<string> => ask(required('LAKESHIFT_TEST_KUBERNETES'), path);

/** Why there can be no Traefik here; empty: there can. */
export const whyNoTraefik = (): Promise<string> => answer('lacking-traefik');

/** Fails with the reason where there can be no Traefik; builds none. */
export async function findTraefik(): Promise<void> {
  const lacking = await whyNoTraefik();
  if (lacking !== '') throw new Error(lacking);
}

/**
 * Starts Traefik under rights of its own, with a GatewayClass, a Gateway and an HTTPRoute; all requests go to stable. The
 * first one may build it. `throttleMs`: see `tools/traefik`. `path` is what a pod answers with 200.
 */
export async function startTraefik(
  namespace: TestNamespace,
  sides: Sides,
  throttleMs?: number,
  path = '',
): Promise<TraefikPlane> {
  const [binary, port] = [await answer('traefik'), await freePort()];
  await withCustomResources('gateway-api');
  const name = `traefik-${randomBytes(3).toString('hex')}`;
  const rights = await asTraefik(namespace, name);
  const { label, objects } = gatewayObjects({ name, namespace: namespace.name, port, sides });
  const objectsThere = await createAll(namespace.admin, objects);
  const drop = async (): Promise<void> => {
    await objectsThere.remove();
    await rights.remove();
  };
  try {
    const server = await startServer(binary, {
      cluster: rights.access,
      namespaces: [namespace.name],
      gatewayClassLabel: label,
      port,
      ...(throttleMs === undefined ? {} : { throttleMs }),
      recordIn: required('LAKESHIFT_TEST_PROCESSES'),
    });
    await untilItRoutes(`${server.url}${path}`).catch((error: unknown) =>
      server.stop().then(() => Promise.reject(error as Error)),
    );
    const stop = (): Promise<void> => server.stop().finally(drop);
    const up = async (): Promise<void> => {
      await server.program.up();
      await untilItRoutes(server.url);
    };
    return { url: server.url, route: name, down: () => server.program.down(), up, stop };
  } catch (error) {
    await drop();
    throw error;
  }
}
