import { randomUUID } from 'node:crypto';
import type { BlueGreenSpec } from '../../contracts/release-spec.ts';
import { kubeconfig } from '../../tools/kubernetes/kubeconfig.ts';
import { startHaproxy } from '../support/data-planes/haproxy.ts';
import { startNginx } from '../support/data-planes/nginx.ts';
import { firstStartMs, planes, type PlaneName } from '../support/data-planes/planes.ts';
import { sendRequests } from '../support/data-planes/requests.ts';
import { untilSent } from '../support/data-planes/until-sent.ts';
import type { DataPlane, Sides } from '../support/data-planes/sides.ts';
import { startTraefik } from '../support/data-planes/traefik.ts';
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

const start: Readonly<Record<PlaneName, (namespace: TestNamespace, sides: Sides) => Promise<DataPlane>>> = {
  traefik: startTraefik,
  haproxy: startHaproxy,
  nginx: startNginx,
};
const replicas = 3;
/** Requests of each way. */
const wanted = 20_000;

describeOnKubernetes('a blue-green release under load', () => {
  let service: RealService;
  let namespace: TestNamespace;
  let apis: Apis;
  beforeAll(async () => {
    namespace = await freshNamespace();
    apis = apisOf(namespace.admin);
    await namespace.allow(...rights);
    service = await RealService.onCluster(kubeconfig(namespace.guest, 'lakeshift'));
  }, 60_000);
  afterAll(async () => {
    await service.stop();
    await namespace.drop();
  }, 60_000);

  /** Two sides, of which blue serves. Their pods end at once when they are told to; their hook holds that back. */
  async function sides(name: string): Promise<void> {
    const lifecycle = { preStop: { sleep: { seconds: 3 } } };
    const env = [{ name: 'DRAIN_MS', value: '0' }];
    const containers = [{ name: 'app', image: 'app:v1', env, ports: [{ containerPort: 8080 }], lifecycle }];
    for (const [side, count] of [
      ['blue', replicas],
      ['green', 0],
    ] as const) {
      const body = deploymentOf(`${name}-${side}`, {
        replicas: count,
        pod: { terminationGracePeriodSeconds: 10, containers },
      });
      await apis.apps.createNamespacedDeployment({ namespace: namespace.name, body });
    }
    const body = serviceOf(name);
    Object.assign(body.spec ?? {}, { selector: { app: `${name}-blue` } });
    await apis.core.createNamespacedService({ namespace: namespace.name, body });
    await service.until(`${name} to serve`, async () => {
      const found = await apis.apps.readNamespacedDeployment({ namespace: namespace.name, name: `${name}-blue` });
      return found.status?.availableReplicas === replicas ? true : null;
    });
  }
  const release = (name: string, image: string, url: string): BlueGreenSpec => ({
    name: `${name}-${image.slice(-2)}`,
    strategy: 'blue-green',
    target: 'k8s',
    service: `${namespace.name}/${name}`,
    slots: { label: 'app', blue: `${name}-blue`, green: `${name}-green` },
    images: { app: image },
    seen: { url, json: '/version', candidate: image.slice(-2) },
    watch: { for: '1s' },
    every: '1s',
    keepOld: '1h',
    drain: '3s',
    grace: '10s',
  });

  describe.each(planes)('through $name', ({ name, lacking }) => {
    const where = lacking === '' ? test : test.skip;
    const because = lacking === '' ? '' : ` (${lacking})`;

    where(
      `loses no request, switched, kept, cleaned up, and switched back${because}`,
      async () => {
        await sides(name);
        const plane = await start[name](namespace, { stable: name });
        const requests = await sendRequests({ url: plane.url, connections: 32, perSecond: 3_000 });
        try {
          const first = (await service.deploy(release(name, 'app:v2', plane.url), randomUUID())).status.id;
          await service.reaches(first, 'in-grace');
          const { planHash } = (await service.view(first)).status;
          expect((await service.order(first, 'skip', { planHash })).status).toBe(200);
          await service.reaches(first, 'deployed');
          await untilSent(requests, wanted);

          const second = (await service.deploy(release(name, 'app:v3', plane.url), randomUUID())).status.id;
          await service.reaches(second, 'in-grace');
          const { sent: forward } = await requests.counts();
          const ordered = Date.now();
          expect((await service.order(second, 'rollback')).status).toBe(200);
          await service.reaches(second, 'rolled-back');
          await untilSent(requests, forward + wanted);
          await service.until('a while at home', () => Promise.resolve(Date.now() > ordered + 6_000 ? true : null));
          const counts = await requests.stop();
          expect(counts.failed).toEqual({});
          expect(counts).toMatchObject({ lost: 0, underWay: 0, answered: counts.sent });
          expect(Object.keys(counts.byVersion).sort()).toEqual(['v1', 'v2', 'v3']);
          const { byVersion } = await requests.between(ordered + 5_000, Date.now());
          expect(Object.keys(byVersion)).toEqual(['v2']);
        } finally {
          await requests.end();
          await plane.stop();
        }
      },
      firstStartMs,
    );
  });
});
