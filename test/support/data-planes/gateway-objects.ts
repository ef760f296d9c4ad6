import type { AnyObject } from './objects.ts';
import type { Sides } from './sides.ts';

const apiVersion = 'gateway.networking.k8s.io/v1';

/** What a Traefik of a test needs of the Gateway API: a class and a Gateway of its own, and a route to both sides by weight. */
export function gatewayObjects({ name, namespace, port, sides }: Wanted): { label: string; objects: AnyObject[] } {
  const labels = { 'lakeshift-test/gateway': name };
  const service = (side: string, weight: number) => ({ name: side, port: 8080, weight });
  const backendRefs = [
    service(sides.stable, 100),
    ...(sides.candidate === undefined ? [] : [service(sides.candidate, 0)]),
  ];
  return {
    label: `lakeshift-test/gateway=${name}`,
    objects: [
      {
        apiVersion,
        kind: 'GatewayClass',
        metadata: { name, labels },
        spec: { controllerName: 'traefik.io/gateway-controller' },
      },
      {
        apiVersion,
        kind: 'Gateway',
        metadata: { name, namespace },
        spec: { gatewayClassName: name, listeners: [{ name: 'web', port, protocol: 'HTTP' }] },
      },
      {
        apiVersion,
        kind: 'HTTPRoute',
        metadata: { name, namespace },
        spec: { parentRefs: [{ name }], rules: [{ backendRefs }] },
      },
    ],
  };
}

interface Wanted {
  readonly name: string;
  readonly namespace: string;
  /** Of the listener: the same that Traefik listens on. */
  readonly port: number;
  readonly sides: Sides;
}
