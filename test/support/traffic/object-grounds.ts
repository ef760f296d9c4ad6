import type { FlagRoute, GatewayRoute, IstioRoute, ServiceRoute } from '../../../contracts/route.ts';
import { withCustomResources, type TestNamespace } from '../kubernetes/cluster.ts';
import { Objects, type Ground, type Sample } from './ground.ts';
import type { HeldObject } from '../../../contracts/workload.ts';
import type { Route } from '../../../contracts/route.ts';

const nowhere = (name: string): never => {
  throw new Error(`no router ${name}`);
};
const ground = (fresh: Ground['fresh']): Ground => ({ fresh, router: nowhere, stop: () => Promise.resolve() });

const sample = (
  objects: Objects,
  held: HeldObject,
  { route, ...rest }: Pick<Sample, 'route' | 'astray' | 'stranger' | 'byHand'>,
): Sample => ({
  ...rest,
  route,
  held,
  content: () => objects.content(held),
  version: () => objects.version(held),
});

/** Services without pods: where requests would go. */
async function services(objects: Objects, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const spec = { selector: { app: name }, ports: [{ port: 8080 }] };
    await objects.create({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec });
  }
}

const header = (name: string, value: string) => ({
  type: 'RequestHeaderModifier',
  requestHeaderModifier: { set: [{ name, value }] },
});

/** Rules of an HTTPRoute, two of them of the stable side, with fields that are no business of ours. */
export const gatewayRules = [
  {
    name: 'pay',
    matches: [
      { path: { type: 'PathPrefix', value: '/pay' }, headers: [{ type: 'Exact', name: 'X-Tier', value: 'a' }] },
    ],
    filters: [header('X-From', 'pay')],
    timeouts: { request: '7s' },
    backendRefs: [
      { group: '', kind: 'Service', name: 'shop', port: 8080, weight: 1, filters: [header('X-To', 'shop')] },
    ],
  },
  {
    matches: [{ path: { type: 'PathPrefix', value: '/static' } }],
    backendRefs: [{ group: '', kind: 'Service', name: 'other', port: 8080, weight: 1 }],
  },
  {
    matches: [{ path: { type: 'PathPrefix', value: '/' } }],
    backendRefs: [{ group: '', kind: 'Service', name: 'shop', port: 8080, weight: 1 }],
  },
];

/** HTTPRoutes in the real API server. */
export async function gatewayGround(namespace: TestNamespace): Promise<Ground> {
  await withCustomResources('gateway-api');
  const objects = new Objects(namespace);
  await services(objects, ['shop', 'shop-candidate', 'other']);
  return ground(async (name) => {
    const held = await objects.create({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name },
      spec: { hostnames: ['shop.example'], parentRefs: [{ name: 'nobody' }], rules: gatewayRules },
    });
    const route: GatewayRoute = {
      ...{ via: 'gateway-api', namespace: namespace.name, name },
      ...{ stable: 'shop', candidate: 'shop-candidate' },
    };
    return sample(objects, held, {
      route,
      astray: { ...route, name: `${name}-gone` },
      stranger: { ...route, candidate: 'nobody' },
      byHand: (weight, ownFields = false) => {
        const rules = gatewayRules.map((rule) => {
          const [first] = rule.backendRefs;
          if (first?.name !== 'shop') return rule;
          const backendRefs = [
            { ...first, weight: 100 - weight },
            { ...first, name: 'shop-candidate', port: ownFields ? 8081 : 8080, weight },
          ];
          return { ...rule, backendRefs };
        });
        return objects.patch(held, { spec: { rules } });
      },
    });
  });
}

const destination = (subset: string) => ({ host: 'shop', port: { number: 8080 }, subset });

/** Rules of a VirtualService, two of them of the stable side, with fields that are no business of ours. */
export const istioRules = [
  {
    name: 'pay',
    match: [{ uri: { prefix: '/pay' }, headers: { 'x-tier': { exact: 'a' } } }],
    timeout: '7s',
    retries: { attempts: 2 },
    route: [{ destination: destination('v1'), headers: { request: { set: { 'x-to': 'shop' } } } }],
  },
  { match: [{ uri: { prefix: '/static' } }], route: [{ destination: { host: 'other' } }] },
  { route: [{ destination: destination('v1') }] },
];

/** VirtualServices in the real API server. */
export async function istioGround(namespace: TestNamespace): Promise<Ground> {
  await withCustomResources('istio');
  const objects = new Objects(namespace);
  await services(objects, ['shop', 'shop-candidate', 'other']);
  const subsets = ['v1', 'v2'].map((name) => ({ name, labels: { version: name } }));
  await objects.create({
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name: 'shop' },
    spec: { host: 'shop', subsets },
  });
  return ground(async (name) => {
    const held = await objects.create({
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name },
      spec: { hosts: ['shop'], http: istioRules },
    });
    const route: IstioRoute = {
      ...{ via: 'istio', namespace: namespace.name, name },
      ...{ stable: 'shop#v1', candidate: 'shop#v2' },
    };
    return sample(objects, held, {
      route,
      astray: { ...route, name: `${name}-gone` },
      stranger: { ...route, candidate: 'shop#v9' },
      byHand: (weight, ownFields = false) => {
        const http = istioRules.map((rule) => {
          const [first] = rule.route;
          if (first?.destination.host !== 'shop') return rule;
          const parts = [
            { ...first, weight: 100 - weight },
            {
              ...first,
              destination: destination('v2'),
              ...(ownFields ? { headers: { request: { set: { 'x-to': 'v2' } } } } : {}),
              weight,
            },
          ];
          return { ...rule, route: parts };
        });
        return objects.patch(held, { spec: { http } });
      },
    });
  });
}

/** Services of the real API server, by their selector. */
export function serviceGround(namespace: TestNamespace): Promise<Ground> {
  const objects = new Objects(namespace);
  const made = ground(async (name) => {
    const held = await objects.create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { selector: { app: 'shop', slot: 'blue' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    });
    const route: ServiceRoute = {
      ...{ via: 'service', namespace: namespace.name, name },
      ...{ label: 'slot', stable: 'blue', candidate: 'green' },
    };
    return sample(objects, held, {
      route,
      astray: { ...route, name: `${name}-gone` },
      stranger: { ...route, label: 'nobody' },
      byHand: (weight) => objects.patch(held, { spec: { selector: { slot: weight === 0 ? 'blue' : 'green' } } }),
    });
  });
  return Promise.resolve(made);
}

const flags = {
  $schema: 'https://flagd.dev/schema/v0/flags.json',
  flags: {
    checkout: { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' },
    other: { state: 'ENABLED', variants: { on: true }, defaultVariant: 'on', targeting: { if: [true, 'on'] } },
  },
};

/** Flags in ConfigMaps of the real API server. */
export function flagGround(namespace: TestNamespace): Promise<Ground> {
  const objects = new Objects(namespace);
  const text = (file: unknown): string => `${JSON.stringify(file, null, 2)}\n`;
  const made = ground(async (name) => {
    const data = { 'flags.json': text(flags), 'more.txt': 'of somebody else' };
    const held = await objects.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
    const route: FlagRoute = {
      ...{ via: 'flag', namespace: namespace.name, name, key: 'flags.json', flag: 'checkout' },
      ...{ stable: 'off', candidate: 'on' },
    };
    return sample(objects, held, {
      route,
      astray: { ...route, name: `${name}-gone` },
      stranger: { ...route, candidate: 'nobody' },
      byHand: (weight) => {
        const targeting = { fractional: [['on', weight] as const, ['off', 100 - weight] as const] };
        const changed = { ...flags, flags: { ...flags.flags, checkout: { ...flags.flags.checkout, targeting } } };
        return objects.patch(held, { data: { 'flags.json': text(changed) } });
      },
    });
  });
  return Promise.resolve(made);
}

/** Whether a route lies in an object of the cluster. */
export const isObject = (route: Route): boolean => !('router' in route);
