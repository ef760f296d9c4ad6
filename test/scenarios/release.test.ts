import { randomUUID } from 'node:crypto';
import type { JointSpec } from '../../contracts/spec.ts';
import { kubeconfig } from '../../tools/kubernetes/kubeconfig.ts';
import { firstStartMs } from '../support/data-planes/planes.ts';
import { startHaproxy, type HaproxyPlane } from '../support/data-planes/haproxy.ts';
import { sendRequests } from '../support/data-planes/requests.ts';
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

const rows = 20_000;
const replicas = 4;

describeOnKubernetes('a release of a schema and a service', () => {
  let service: RealService;
  let namespace: TestNamespace;
  let apis: Apis;
  let plane: HaproxyPlane;
  beforeAll(async () => {
    namespace = await freshNamespace();
    apis = apisOf(namespace.admin);
    await namespace.allow(...rights);
    await serving('checkout');
    plane = await startHaproxy(namespace, { stable: 'checkout', candidate: 'checkout-candidate' });
    service = await RealService.onCluster(kubeconfig(namespace.guest, 'lakeshift'), {
      routers: {
        edge: { kind: 'haproxy', address: plane.runtime },
      },
    });
    await service.payments(rows);
  }, firstStartMs);
  afterAll(async () => {
    await service.stop();
    await plane.stop();
    await namespace.drop();
  }, 60_000);

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
  const spec = (image: string): JointSpec => ({
    name: `checkout-${image.slice(-2)}`,
    strategy: 'release',
    tables: [
      {
        target: 'shop',
        table: 'public.payments',
        changes: [
          { type: 'amount', to: 'amount_cents bigint', up: 'round(amount * 100)', down: 'amount_cents / 100.0' },
        ],
        contract: { after: '1s' },
      },
    ],
    services: [
      {
        target: 'k8s',
        workload: `${namespace.name}/checkout`,
        images: { app: image },
        service: 'checkout',
        route: { via: 'haproxy', router: 'edge', backend: 'split', stable: 'stable', candidate: 'candidate' },
        seen: { url: plane.url, json: '/version', candidate: image.slice(-2) },
        steps: [
          { weight: 5, for: '1s' },
          { weight: 25, for: '3s' },
          { weight: 100, for: '1s' },
        ],
        every: '1s',
        grace: '10s',
        drain: '3s',
      },
    ],
  });
  const columns = async (): Promise<readonly string[]> => {
    const { rows: found } = await service.shop.query<{ name: string }>(
      `SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'payments' ORDER BY ordinal_position`,
    );
    return found.map(({ name }) => name);
  };
  const start = async (wanted: JointSpec): Promise<string> => (await service.deploy(wanted, randomUUID())).status.id;
  const imageOf = async (): Promise<string | undefined> =>
    (await apis.apps.readNamespacedDeployment({ namespace: namespace.name, name: 'checkout' })).spec?.template.spec
      ?.containers[0]?.image;

  test('is one plan, in one order, with one point of no return', async () => {
    const { status, body } = await service.post('/v1/plans', spec('app:v2'));
    expect(status).toBe(200);
    const { plan } = body as { plan: { stages: { name: string }[]; risk: { pointOfNoReturn: string } } };
    expect(plan.stages.map(({ name }) => name)).toEqual([
      'preflight',
      'expand',
      'backfill',
      'build',
      'verify',
      'candidate',
      'weight-5',
      'weight-25',
      'weight-100',
      'promote',
      'home',
      'retire',
      'cutover',
      'grace',
      'contract',
    ]);
    expect(plan.risk.pointOfNoReturn).toBe('contract');
  }, 60_000);

  test('sends the traffic home and takes the schema back when it is told to at 25 %, and no row or request is lost', async () => {
    const requests = await sendRequests({ url: plane.url, connections: 16, perSecond: 500 });
    try {
      const id = await start(spec('app:v2'));
      await service.until('a quarter of the traffic', async () => {
        const { stage, phase } = (await service.view(id)).status;
        return stage === 'weight-25' && phase === 'watching' ? true : null;
      });
      await service.shop.query(`INSERT INTO payments (amount, note) VALUES (12.34, 'meanwhile')`);
      expect((await service.view(id)).status.progress.wayBack.verdict).toBe('lossless');
      await service.killWorker();
      await service.startWorker();
      expect((await service.order(id, 'rollback')).status).toBe(200);
      await service.reaches(id, 'rolled-back');
      expect([await columns(), await imageOf()]).toEqual([['id', 'amount', 'note'], 'app:v1']);
      const { rows: found } = await service.shop.query<{ count: number }>(
        'SELECT count(*)::int AS count FROM payments',
      );
      expect(found[0]?.count).toBe(rows + 1);
      const { rows: left } = await service.shop.query(`SELECT 1 FROM pg_namespace WHERE nspname = 'lakeshift'`);
      expect(left).toEqual([]);
      const counts = await requests.stop();
      expect([counts.failed, counts.lost, counts.answered]).toEqual([{}, 0, counts.sent]);
    } finally {
      await requests.end();
    }
  }, 120_000);

  test('goes through to the contract, with a worker that is killed on the way', async () => {
    const requests = await sendRequests({ url: plane.url, connections: 16, perSecond: 500 });
    try {
      const id = await start(spec('app:v3'));
      await service.until('the candidate', async () =>
        (await service.view(id)).status.stage === 'weight-5' ? true : null,
      );
      await service.killWorker();
      await service.startWorker();
      await service.until('an approval of contract', async () => {
        const { stage, phase } = (await service.view(id)).status;
        return stage === 'contract' && phase === 'waiting-for-approval' ? true : null;
      });
      expect([await columns(), await imageOf()]).toEqual([['id', 'amount', 'note', 'amount_cents'], 'app:v3']);
      await service.approve(id);
      await service.reaches(id, 'deployed');
      expect(await columns()).toEqual(['id', 'note', 'amount_cents']);
      const { rows: found } = await service.shop.query<{ right: number }>(
        'SELECT count(*)::int AS right FROM payments WHERE amount_cents IS NOT NULL',
      );
      expect(found[0]?.right).toBe(rows + 1);
      const counts = await requests.stop();
      expect([counts.failed, counts.lost, counts.answered]).toEqual([{}, 0, counts.sent]);
      expect(Object.keys(counts.byVersion).sort()).toEqual(['v1', 'v3']);
    } finally {
      await requests.end();
    }
  }, 120_000);
});
