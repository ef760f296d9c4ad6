import { randomUUID } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import type { CanarySpec } from '../../contracts/release-spec.ts';
import type { Status } from '../../contracts/progress.ts';
import { agrees } from '../../decisions/agrees.ts';
import { freePort } from '../../tools/ports.ts';
import { kubeconfig } from '../../tools/kubernetes/kubeconfig.ts';
import { startHaproxy, type HaproxyPlane } from '../support/data-planes/haproxy.ts';
import { firstStartMs, planes } from '../support/data-planes/planes.ts';
import { sendRequests, type Requests } from '../support/data-planes/requests.ts';
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

const app = 'scores';
const replicas = 4;

/** What the candidate needs: it can go away, and come back where it was. */
class Database {
  readonly port: number;
  #server: Server | null = null;
  readonly #sockets = new Set<Socket>();

  constructor(port: number) {
    this.port = port;
  }

  async up(): Promise<void> {
    if (this.#server !== null) return;
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => server.on('error', reject).listen(this.port, '127.0.0.1', resolve));
    this.#server = server;
  }

  async down(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    const closed = new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

const lacking = planes.find(({ name }) => name === 'haproxy')?.lacking ?? 'no HAProxy';
const where = lacking === '' ? test : test.skip;

describeOnKubernetes('a canary that needs a database', () => {
  let service: RealService;
  let namespace: TestNamespace;
  let apis: Apis;
  let haproxy: HaproxyPlane | null = null;
  let database: Database;
  let requests: Requests;

  beforeAll(async () => {
    namespace = await freshNamespace();
    apis = apisOf(namespace.admin);
    await namespace.allow(...rights);
    database = new Database(await freePort());
    if (lacking !== '') return;
    await serving();
    haproxy = await startHaproxy(namespace, { stable: app, candidate: `${app}-candidate` });
    service = await RealService.onCluster(kubeconfig(namespace.guest, 'lakeshift'), {
      routers: { edge: { kind: 'haproxy', address: haproxy.runtime } },
    });
    requests = await sendRequests({ url: haproxy.url, connections: 16, perSecond: 400 });
  }, firstStartMs);
  afterAll(async () => {
    if (lacking === '') {
      await requests.end();
      await service.stop();
    }
    await haproxy?.stop();
    await database.down();
    await namespace.drop();
  }, 60_000);

  async function serving(): Promise<void> {
    const lifecycle = { preStop: { sleep: { seconds: 3 } } };
    const env = [{ name: 'DRAIN_MS', value: '0' }];
    const containers = [{ name: 'app', image: 'app:v1', env, ports: [{ containerPort: 8080 }], lifecycle }];
    const body = deploymentOf(app, { replicas, pod: { terminationGracePeriodSeconds: 10, containers } });
    await apis.core.createNamespacedService({ namespace: namespace.name, body: serviceOf(app) });
    await apis.apps.createNamespacedDeployment({ namespace: namespace.name, body });
    for (;;) {
      const { status } = await apis.apps.readNamespacedDeployment({ namespace: namespace.name, name: app });
      if (status?.availableReplicas === replicas) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  const spec = (from: number, openFor: string): CanarySpec => ({
    name: `${app}-${from + 1}`,
    strategy: 'canary',
    target: 'k8s',
    workload: `${namespace.name}/${app}`,
    images: { app: `app:v${from + 1}` },
    service: app,
    route: { via: 'haproxy', router: 'edge', backend: 'split', stable: 'stable', candidate: 'candidate' },
    seen: { url: haproxy?.url ?? '', json: '/version', candidate: `v${from + 1}` },
    steps: [
      { weight: 25, for: '1h' },
      { weight: 100, for: '1s' },
    ],
    dependencies: [
      {
        name: 'scores-db',
        probe: { tcp: `127.0.0.1:${database.port}`, timeout: '1s' },
        every: '1s',
        fail: '2 of 3',
        backoff: '1s',
        openFor,
      },
    ],
    every: '1s',
    grace: '10s',
    drain: '3s',
  });
  const start = async (wanted: CanarySpec): Promise<string> => (await service.deploy(wanted, randomUUID())).status.id;
  const status = async (id: string): Promise<Status> => (await service.view(id)).status;

  /** Since when the share of the plan, or nothing, is in place in that phase. */
  const inPlace = (id: string, phase: 'watching' | 'held'): Promise<number> =>
    service.until(`a share in ${phase}`, async () => {
      const { phase: now, progress } = await status(id);
      return now === phase ? (progress.traffic?.since ?? null) : null;
    });

  /** What was answered for two seconds from a moment on. */
  async function answeredFrom(since: number): Promise<Readonly<Record<string, number>>> {
    await service.until('two seconds', () => Promise.resolve(Date.now() > since + 2_200 ? true : null));
    return (await requests.between(since + 200, since + 2_200)).byVersion;
  }
  async function isQuarter(since: number, candidate: string, stable: string): Promise<void> {
    const { [candidate]: seen = 0, [stable]: rest = 0 } = await answeredFrom(since);
    expect(seen + rest).toBeGreaterThan(200);
    expect(agrees(25, { candidate: seen, stable: rest, unknown: 0 })).toMatchObject({ holds: true });
  }
  /** Nothing that was sent has been lost so far. */
  async function nothingLost(): Promise<void> {
    expect(await requests.counts()).toMatchObject({ failed: {}, lost: 0 });
  }

  where(
    'goes home while that is away, comes back when it is, and loses no request',
    async () => {
      await database.up();
      const id = await start(spec(1, '10m'));
      await isQuarter(await inPlace(id, 'watching'), 'v2', 'v1');
      await database.down();
      const homeSince = await inPlace(id, 'held');
      expect(Object.keys(await answeredFrom(homeSince))).toEqual(['v1']);
      const held = await status(id);
      expect(held.progress).toMatchObject({ deadline: null, parked: null, direction: 'forward' });
      expect(held.progress.breakers).toMatchObject([{ name: 'scores-db', state: 'open', because: 'no connection' }]);
      await database.up();
      await isQuarter(await inPlace(id, 'watching'), 'v2', 'v1');
      const { planHash, progress } = await status(id);
      expect((progress.deadline ?? 0) - (progress.traffic?.since ?? 0)).toBe(3_600_000);
      expect((await service.order(id, 'skip', { planHash })).status).toBe(200);
      await service.reaches(id, 'deployed');
      await nothingLost();
    },
    firstStartMs,
  );

  where(
    'calls a person when it stays away, and is taken back from there without a lost request',
    async () => {
      await database.up();
      const id = await start(spec(2, '3s'));
      await inPlace(id, 'watching');
      await database.down();
      const { parked } = (await service.reaches(id, 'needs-attention')).status.progress;
      expect(parked).toEqual({ code: 'DEPENDENCY_AWAY', detail: 'scores-db is open: no connection' });
      expect((await service.order(id, 'retry')).status).toBe(200);
      // it is still open: held, or parked once more
      expect((await service.order(id, 'abort')).status).toBe(200);
      await service.reaches(id, 'rolled-back');
      await nothingLost();
      expect(Object.keys(await answeredFrom(Date.now()))).toEqual(['v2']);
      const counts = await requests.stop();
      expect(counts).toMatchObject({ failed: {}, lost: 0, underWay: 0, answered: counts.sent });
    },
    firstStartMs,
  );
});
