import { randomUUID } from 'node:crypto';
import type { CanarySpec, RouteSpec } from '../../contracts/release-spec.ts';
import { agrees } from '../../decisions/agrees.ts';
import { kubeconfig } from '../../tools/kubernetes/kubeconfig.ts';
import { startHaproxy, type HaproxyPlane } from '../support/data-planes/haproxy.ts';
import { startNginx, type NginxPlane } from '../support/data-planes/nginx.ts';
import { firstStartMs, planes, type PlaneName } from '../support/data-planes/planes.ts';
import { sendRequests, type Requests } from '../support/data-planes/requests.ts';
import { untilSent } from '../support/data-planes/until-sent.ts';
import type { DataPlane } from '../support/data-planes/sides.ts';
import { startTraefik, type TraefikPlane } from '../support/data-planes/traefik.ts';
import {
  apisOf,
  describeOnKubernetes,
  freshNamespace,
  type Apis,
  type TestNamespace,
} from '../support/kubernetes/cluster.ts';
import { deploymentOf, serviceOf } from '../support/kubernetes/deployment.ts';
import { rights } from '../support/kubernetes/rights.ts';
import { RealService } from '../support/real-service.ts';

const replicas = 4;
/** Requests of each way. */
const wanted = 20_000;

describeOnKubernetes('a canary under load', () => {
  let service: RealService;
  let namespace: TestNamespace;
  let apis: Apis;
  const running = new Map<PlaneName, DataPlane>();
  let routes: Readonly<Record<PlaneName, RouteSpec>>;

  beforeAll(async () => {
    namespace = await freshNamespace();
    apis = apisOf(namespace.admin);
    await namespace.allow(...rights);
    await Promise.all(planes.filter(({ lacking }) => lacking === '').map(({ name }) => serving(name)));
    const [traefik, haproxy, nginx] = await started();
    routes = {
      traefik: { via: 'gateway-api', name: traefik?.route ?? 'none' },
      haproxy: { via: 'haproxy', router: 'edge', backend: 'split', stable: 'stable', candidate: 'candidate' },
      nginx: { via: 'nginx', router: 'web', stable: '', candidate: '', ...nginx?.addresses },
    };
    service = await RealService.onCluster(kubeconfig(namespace.guest, 'lakeshift'), {
      routers: {
        ...(haproxy === null ? {} : { edge: { kind: 'haproxy', address: haproxy.runtime } }),
        ...(nginx === null
          ? {}
          : { web: { kind: 'nginx', file: nginx.weightsFile, reload: [...nginx.reloadCommand] } }),
      },
    });
  }, firstStartMs);
  afterAll(async () => {
    await service.stop();
    await Promise.all([...running.values()].map((plane) => plane.stop()));
    await namespace.drop();
  }, 60_000);

  async function started(): Promise<[TraefikPlane | null, HaproxyPlane | null, NginxPlane | null]> {
    const [traefik, haproxy, nginx] = planes.map(({ lacking }) => lacking === '');
    const found: [TraefikPlane | null, HaproxyPlane | null, NginxPlane | null] = [
      traefik === true ? await startTraefik(namespace, { stable: 'traefik' }) : null,
      haproxy === true ? await startHaproxy(namespace, { stable: 'haproxy', candidate: 'haproxy-candidate' }) : null,
      nginx === true ? await startNginx(namespace, { stable: 'nginx', candidate: 'nginx-candidate' }) : null,
    ];
    for (const [index, plane] of found.entries()) {
      const name = planes[index]?.name;
      if (plane !== null && name !== undefined) running.set(name, plane);
    }
    return found;
  }

  /** Pods that end at once when they are told to; their hook holds that back for as long as routers need. */
  async function serving(name: string): Promise<void> {
    const lifecycle = { preStop: { sleep: { seconds: 3 } } };
    const env = [{ name: 'DRAIN_MS', value: '0' }];
    const containers = [{ name: 'app', image: 'app:v1', env, ports: [{ containerPort: 8080 }], lifecycle }];
    const body = deploymentOf(name, { replicas, pod: { terminationGracePeriodSeconds: 10, containers } });
    await apis.core.createNamespacedService({ namespace: namespace.name, body: serviceOf(name) });
    await apis.apps.createNamespacedDeployment({ namespace: namespace.name, body });
    for (;;) {
      const { status } = await apis.apps.readNamespacedDeployment({ namespace: namespace.name, name });
      if (status?.availableReplicas === replicas) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  const planeOf = (name: PlaneName): DataPlane => {
    const plane = running.get(name);
    if (plane === undefined) throw new Error(`${name} was not started`);
    return plane;
  };
  const release = (name: PlaneName, from: number, more: Partial<CanarySpec> = {}): CanarySpec => ({
    name: `${name}-${from + 1}`,
    strategy: 'canary',
    target: 'k8s',
    workload: `${namespace.name}/${name}`,
    images: { app: `app:v${from + 1}` },
    service: name,
    route: routes[name],
    seen: { url: planeOf(name).url, json: '/version', candidate: `v${from + 1}` },
    steps: [
      { weight: 5, for: '3s' },
      { weight: 25, for: '2s' },
      { weight: 50, for: '2s' },
      { weight: 100, for: '1s' },
    ],
    every: '1s',
    grace: '10s',
    drain: '3s',
    ...more,
  });
  const start = async (spec: CanarySpec): Promise<string> => (await service.deploy(spec, randomUUID())).status.id;

  /** Until that share is in place, and was for a while. */
  async function shareAt(id: string, weight: number, forMs: number, requests: Requests, candidate: string) {
    const since = await service.until(`${weight} %`, async () => {
      const { stage, progress } = (await service.view(id)).status;
      return stage === `weight-${weight}` ? (progress.traffic?.since ?? null) : null;
    });
    await service.until('the window to be over', () => Promise.resolve(Date.now() > since + forMs ? true : null));
    const { total, byVersion } = await requests.between(since + 200, since + forMs);
    const seen = byVersion[candidate] ?? 0;
    return { total, ...agrees(weight, { candidate: seen, stable: total - seen, unknown: 0 }) };
  }

  const podsGone = (label: string): Promise<unknown> =>
    service.until(`the pods of ${label} to be gone`, async () => {
      const { items } = await apis.core.listNamespacedPod({ namespace: namespace.name, labelSelector: `app=${label}` });
      return items.length === 0 ? true : null;
    });

  describe.each(planes)('through $name', ({ name, lacking }) => {
    const where = lacking === '' ? test : test.skip;
    const because = lacking === '' ? '' : ` (${lacking})`;

    where(
      `loses no request, forward and back, and its shares are those of the plan${because}`,
      async () => {
        const requests = await sendRequests({ url: planeOf(name).url, connections: 32, perSecond: 3_000 });
        try {
          const first = await start(release(name, 1));
          const five = await shareAt(first, 5, 2_500, requests, 'v2');
          expect(five).toMatchObject({ holds: true });
          // a share of 5 % shows in as many, also where the machine has little time for us
          expect(five.total).toBeGreaterThan(500);
          await service.reaches(first, 'deployed');
          await podsGone(`${name}-candidate`);
          expect(await namesLeft(name)).toEqual([]);
          await untilSent(requests, wanted);

          const second = await start(release(name, 2, { steps: [{ weight: 50, for: '1h' }, { weight: 100 }] }));
          expect(await shareAt(second, 50, 2_000, requests, 'v3')).toMatchObject({ holds: true });
          const { sent: forward } = await requests.counts();
          const ordered = Date.now();
          expect((await service.order(second, 'abort')).status).toBe(200);
          await service.reaches(second, 'rolled-back');
          await podsGone(`${name}-candidate`);
          await untilSent(requests, forward + wanted);
          await service.until('a while at home', () => Promise.resolve(Date.now() > ordered + 6_000 ? true : null));
          const counts = await requests.stop();
          expect(counts.failed).toEqual({});
          expect(counts).toMatchObject({ lost: 0, underWay: 0, answered: counts.sent });
          const { byVersion } = await requests.between(ordered + 5_000, Date.now());
          expect(Object.keys(byVersion)).toEqual(['v2']);
        } finally {
          await requests.end();
        }
      },
      firstStartMs,
    );
  });

  /** What is left of a canary in the cluster. */
  async function namesLeft(name: string): Promise<string[]> {
    const [deployments, services] = await Promise.all([
      apis.apps.listNamespacedDeployment({ namespace: namespace.name }),
      apis.core.listNamespacedService({ namespace: namespace.name }),
    ]);
    const own = [...deployments.items, ...services.items].filter(({ metadata }) => metadata?.name?.startsWith(name));
    const ours = own
      .filter((object) => JSON.stringify(object).includes('lakeshift'))
      .map((object) => object.metadata?.name ?? '');
    const candidates = own.map(({ metadata }) => metadata?.name ?? '').filter((found) => found.endsWith('-candidate'));
    return [...ours, ...candidates];
  }
});
