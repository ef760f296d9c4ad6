import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { CustomObjectsApi, KubernetesObjectApi } from '@kubernetes/client-node';
import { getHaproxy } from '../../tools/haproxy/get.ts';
import { askRuntime } from '../../tools/haproxy/runtime.ts';
import { getNginx } from '../../tools/nginx/get.ts';
import { startHaproxy } from '../support/data-planes/haproxy.ts';
import { startNginx } from '../support/data-planes/nginx.ts';
import { sendRequests } from '../support/data-planes/requests.ts';
import type { DataPlane, Sides } from '../support/data-planes/sides.ts';
import { findTraefik, startTraefik } from '../support/data-planes/traefik.ts';
import { whyNot } from '../support/data-planes/why-not.ts';
import {
  apisOf,
  configOf,
  describeOnKubernetes,
  freshNamespace,
  withCustomResources,
  type Apis,
  type TestNamespace,
} from '../support/kubernetes/cluster.ts';
import { deploymentOf, serviceOf } from '../support/kubernetes/deployment.ts';
import { until } from './run-start.ts';

/** A data plane, and what gives the candidate that weight, percent. */
type Weighted = DataPlane & { readonly weigh: (candidate: number) => Promise<void> };

interface Plane {
  readonly name: string;
  readonly start: (namespace: TestNamespace, sides: Sides) => Promise<Weighted>;
  readonly lacking: string;
}

async function traefik(namespace: TestNamespace, sides: Sides): Promise<Weighted> {
  const plane = await startTraefik(namespace, sides);
  const api = configOf(namespace.admin).makeApiClient(CustomObjectsApi);
  const weigh = async (candidate: number): Promise<void> => {
    await api.patchNamespacedCustomObject({
      group: 'gateway.networking.k8s.io',
      version: 'v1',
      namespace: namespace.name,
      plural: 'httproutes',
      name: plane.route,
      body: [100 - candidate, candidate].map((value, side) => ({
        op: 'replace',
        path: `/spec/rules/0/backendRefs/${side}/weight`,
        value,
      })),
    });
  };
  return { ...plane, weigh };
}

async function haproxy(namespace: TestNamespace, sides: Sides): Promise<Weighted> {
  const plane = await startHaproxy(namespace, sides);
  const weigh = async (candidate: number): Promise<void> => {
    const command = `set weight split/stable ${100 - candidate}; set weight split/candidate ${candidate}`;
    expect(await askRuntime(plane.runtime, command)).toBe('');
  };
  return { ...plane, weigh };
}

async function nginx(namespace: TestNamespace, sides: Sides): Promise<Weighted> {
  const plane = await startNginx(namespace, sides);
  const weigh = async (candidate: number): Promise<void> => {
    const line = (side: 'stable' | 'candidate', weight: number): string =>
      `server ${plane.addresses[side]} ${weight === 0 ? 'down' : `weight=${weight}`};\n`;
    await writeFile(plane.weightsFile, line('stable', 100 - candidate) + line('candidate', candidate));
    const [command, ...args] = plane.reloadCommand;
    await promisify(execFile)(command, args);
  };
  return { ...plane, weigh };
}

const planes: readonly Plane[] = [
  { name: 'Traefik', start: traefik, lacking: await whyNot('Traefik', findTraefik()) },
  { name: 'HAProxy', start: haproxy, lacking: await whyNot('HAProxy', getHaproxy()) },
  { name: 'NGINX', start: nginx, lacking: await whyNot('NGINX', getNginx()) },
];

/** The first who asks for Traefik waits while it is built. */
const firstStartMs = 20 * 60_000;

describeOnKubernetes('the data planes of the tests', () => {
  let namespace: TestNamespace;
  let apis: Apis;
  beforeAll(async () => {
    namespace = await freshNamespace();
    apis = apisOf(namespace.admin);
    for (const [name, image] of [
      ['shop', 'app:v1'],
      ['shop-candidate', 'app:v2'],
    ] as const) {
      await apis.core.createNamespacedService({ namespace: namespace.name, body: serviceOf(name) });
      const body = deploymentOf(name, { image, replicas: 2 });
      await apis.apps.createNamespacedDeployment({ namespace: namespace.name, body });
      await until(`${name} is ready`, async () => {
        const { status } = await apis.apps.readNamespacedDeployment({ namespace: namespace.name, name });
        return status?.availableReplicas === 2;
      });
    }
  }, 60_000);
  afterAll(() => namespace.drop());

  describe.each(planes)('$name', ({ start, lacking }) => {
    (lacking === '' ? test : test.skip)(
      `splits by weight, follows its change under load, and loses nothing${lacking}`,
      async () => {
        const plane = await start(namespace, { stable: 'shop', candidate: 'shop-candidate' });
        const requests = await sendRequests({ url: plane.url, connections: 16, perSecond: 1_000 });
        /** Part of the candidate among the answers of the last moments, percent. */
        const share = async (): Promise<number> => {
          const { total, byVersion } = await requests.between(Date.now() - 500, Date.now());
          return total < 100 ? NaN : (100 * (byVersion['v2'] ?? 0)) / total;
        };
        try {
          await until('all goes to stable', async () => (await share()) === 0);
          await plane.weigh(25);
          await until('a quarter goes to the candidate', async () => Math.abs((await share()) - 25) < 1);
          await plane.weigh(100);
          await until('all goes to the candidate', async () => (await share()) === 100);
          await plane.weigh(0);
          await until('all goes to stable again', async () => (await share()) === 0);
          expect(await requests.stop()).toMatchObject({ lost: 0, trouble: null });
        } finally {
          await requests.end();
          await plane.stop();
        }
      },
      firstStartMs,
    );
  });

  test('beside them, objects of Istio can be stored, though nobody acts on them', async () => {
    await withCustomResources('istio');
    const api = KubernetesObjectApi.makeApiClient(configOf(namespace.admin));
    const metadata = { name: 'shop', namespace: namespace.name };
    const http = [{ route: [{ destination: { host: 'shop', subset: 'v1' }, weight: 100 }] }];
    const stored = await api.create({
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata,
      spec: { hosts: ['shop'], http },
    });
    expect(stored).toMatchObject({ spec: { http } });
    const rule = { host: 'shop', subsets: [{ name: 'v1', labels: { version: 'v1' } }] };
    const { spec } = (await api.create({
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      metadata,
      spec: rule,
    })) as { readonly spec?: unknown };
    expect(spec).toEqual(rule);
    // Istio's own schema holds
    await expect(
      api.create({
        apiVersion: 'networking.istio.io/v1',
        kind: 'VirtualService',
        metadata: { ...metadata, name: 'wrong' },
        spec: { http: 'all' },
      }),
    ).rejects.toMatchObject({ code: 422 });
  }, 60_000);
});
