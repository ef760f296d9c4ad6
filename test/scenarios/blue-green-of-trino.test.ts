import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubernetesObjectApi, type KubernetesObject } from '@kubernetes/client-node';
import { parse } from 'yaml';
import type { BlueGreenSpec, RunningSpec } from '../../contracts/release-spec.ts';
import { kubeconfig } from '../../tools/kubernetes/kubeconfig.ts';
import type { RunningTrino } from '../../tools/trino/server.ts';
import { startTraefik, whyNoTraefik, type TraefikPlane } from '../support/data-planes/traefik.ts';
import {
  apisOf,
  configOf,
  describeOnKubernetes,
  freshNamespace,
  type Apis,
  type TestNamespace,
} from '../support/kubernetes/cluster.ts';
import { deploymentOf, serviceOf } from '../support/kubernetes/deployment.ts';
import { rights } from '../support/kubernetes/rights.ts';
import { RealService } from '../support/real-service.ts';
import { beginQuery, longQuery, manyRows, runQuery, type ClientQuery } from '../support/trino/client.ts';
import { startLoad } from '../support/trino/load.ts';
import { firstTrinoMs, freshTrino, whyNoTrino } from '../support/trino/trinos.ts';

const example = join(import.meta.dirname, '../../examples/09-blue-green-of-trino.yaml');
const sideNames = ['blue', 'green'] as const;
type SideName = (typeof sideNames)[number];
const lacking = (await whyNoTrino()) || (await whyNoTraefik());
// Jest shows no names of suites that are skipped
if (lacking !== '') process.stderr.write(`the blue-green of Trino is skipped: ${lacking}\n`);

interface HttpRoute extends KubernetesObject {
  readonly spec?: { readonly rules?: readonly object[] };
}

(lacking === '' ? describeOnKubernetes : describe.skip)(
  `a blue-green release of Trino${lacking && ` (${lacking})`}`,
  () => {
    let service: RealService;
    let namespace: TestNamespace;
    let apis: Apis;
    let plane: TraefikPlane;
    const trinos = new Map<SideName, RunningTrino>();
    const ids = new Map<string, SideName>();

    beforeAll(async () => {
      namespace = await freshNamespace();
      apis = apisOf(namespace.admin);
      await namespace.allow(...rights);
      const [blue, green, started] = await Promise.all([
        freshTrino(),
        freshTrino(),
        RealService.onCluster(kubeconfig(namespace.guest, 'lakeshift')),
      ]);
      trinos.set('blue', blue).set('green', green);
      service = started;
      for (const side of sideNames) ids.set((await runQuery(urlOf(side), 'SELECT 1')).coordinator, side);
      await sides();
      plane = await startTraefik(namespace, { stable: 'trino-gateway' }, undefined, '/v1/info');
    }, firstTrinoMs);
    afterAll(async () => {
      await plane.stop();
      await service.stop();
      await Promise.all([...trinos.values()].map((trino) => trino.stop()));
      await namespace.drop();
    }, 60_000);

    const urlOf = (side: SideName): string => trinos.get(side)?.url ?? '';
    const sideOf = ({ coordinator }: ClientQuery): SideName | undefined => ids.get(coordinator);
    const chosen = async (): Promise<string | undefined> =>
      (await apis.core.readNamespacedService({ namespace: namespace.name, name: 'trino-gateway' })).spec?.selector?.[
        'slot'
      ];
    const podsOf = async (side: SideName): Promise<number | undefined> =>
      (await apis.apps.readNamespacedDeployment({ namespace: namespace.name, name: `trino-${side}` })).spec?.replicas;
    const rules = async (): Promise<readonly object[]> => {
      const objects = configOf(namespace.admin).makeApiClient(KubernetesObjectApi);
      const metadata = { name: plane.route, namespace: namespace.name };
      const route = await objects.read<HttpRoute>({
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'HTTPRoute',
        metadata,
      });
      return route.spec?.rules ?? [];
    };

    /** Two sides whose pods are the two Trinos, of which blue serves, and a Service for each side. */
    async function sides(): Promise<void> {
      for (const side of sideNames) {
        const labels = { app: 'trino', slot: side };
        const env = [{ name: 'FORWARDS_TO', value: String(trinos.get(side)?.port) }];
        const containers = [{ name: 'trino', image: 'trinodb/trino:439', env, ports: [{ containerPort: 8080 }] }];
        const body = deploymentOf(`trino-${side}`, { replicas: side === 'blue' ? 1 : 0, pod: { containers } });
        Object.assign(body.spec?.selector ?? {}, { matchLabels: labels });
        Object.assign(body.spec?.template.metadata ?? {}, { labels });
        await apis.apps.createNamespacedDeployment({ namespace: namespace.name, body });
        await selecting(`trino-${side}`, labels);
      }
      await selecting('trino-gateway', { app: 'trino', slot: 'blue' });
    }
    async function selecting(name: string, selector: Record<string, string>): Promise<void> {
      const body = serviceOf(name);
      Object.assign(body.spec ?? {}, { selector });
      await apis.core.createNamespacedService({ namespace: namespace.name, body });
    }

    /** The example, with names and addresses of the test and in its time; to green unless it says otherwise. */
    async function spec(more: Partial<BlueGreenSpec> = {}, to: SideName = 'green'): Promise<BlueGreenSpec> {
      const text = (await readFile(example, 'utf8'))
        .replaceAll(`http://trino-green.data-platform.example:8080`, urlOf('green'))
        .replaceAll(`http://trino-blue.data-platform.example:8080`, urlOf('blue'))
        .replaceAll('http://trino.example', plane.url)
        .replaceAll('data-platform/', `${namespace.name}/`)
        .replace('route: trino', `route: ${plane.route}`)
        .replace('k8s-data', 'k8s')
        .replace('30m', '1s')
        .replace('every: 2s', 'every: 100ms')
        .replace('grace: 300s', 'grace: 2s')
        // nobody has groups here
        .replace('approve: platform', 'approve: true');
      const base = parse(text) as BlueGreenSpec; // what the schema promises: test/docs checks the examples
      const validate = { probes: [{ trino: urlOf(to), sql: 'SELECT 1' }], every: '100ms', needs: 1 };
      const name = `trino-${randomUUID().slice(0, 8)}`;
      return { ...base, name, every: '1s', drain: '1s', ...(to === 'green' ? {} : { validate }), ...more };
    }
    const start = async (wanted: BlueGreenSpec): Promise<string> =>
      (await service.deploy(wanted, randomUUID())).status.id;
    const approved = async (id: string): Promise<void> => {
      await service.reaches(id, 'waiting-for-approval');
      await service.approve(id);
    };
    const runs = (id: string, words: string): Promise<unknown> =>
      service.until(words, async () => {
        const { progress } = (await service.view(id)).status;
        return progress.running?.because === words ? true : null;
      });
    const waitIdle = async (timeout: string): Promise<{ running: RunningSpec; approve: false }> => {
      const { running } = await spec();
      if (running === undefined) throw new Error('the example says nothing of running queries');
      const { engine, coordinators } = running;
      return { running: { engine, coordinators, wait: 'idle', timeout }, approve: false };
    };
    const everyRow = Array.from({ length: manyRows }, (_, index) => index + 1);
    const finishes = async (query: ClientQuery): Promise<void> =>
      expect([...(await query.rest())].sort((a, b) => a - b)).toEqual(everyRow);

    test('is refused when nobody says what becomes of its queries', async () => {
      const { running: _, ...without } = await spec();
      const { status, body } = await service.post('/v1/deployments', without, { 'idempotency-key': randomUUID() });
      expect(status).toBe(422);
      expect(JSON.stringify(body)).toContain('image trinodb/trino:439 is Trino');
      expect(body).toMatchObject({ code: 'PLAN_REFUSED', errors: [{ pointer: '/running' }] });
    });

    test('fails no query, switched and taken back: each ends on the coordinator that knows it', async () => {
      const before = await rules();
      const load = startLoad(plane.url, 2);
      try {
        const [first, second] = [await beginQuery(plane.url, longQuery), await beginQuery(plane.url, longQuery)];
        expect([sideOf(first), sideOf(second)]).toEqual(['blue', 'blue']);
        const id = await start(await spec());
        await approved(id);
        await service.reaches(id, 'in-grace');
        const switched = Date.now();
        expect([await chosen(), (await rules()).length]).toEqual(['green', before.length + 2]);
        await finishes(first);
        const third = await beginQuery(plane.url, longQuery);
        expect(sideOf(third)).toBe('green');
        await service.until('new statements', async () => (load.since(switched).length > 4 ? true : null));
        expect(new Set(load.since(switched).map((coordinator) => ids.get(coordinator)))).toEqual(new Set(['green']));

        expect((await service.order(id, 'rollback')).status).toBe(200);
        await runs(id, '1 query still runs on trino-green');
        const back = Date.now();
        expect([await chosen(), await podsOf('green')]).toEqual(['blue', 1]);
        await service.until('new statements', async () => (load.since(back).length > 4 ? true : null));
        expect(new Set(load.since(back).map((coordinator) => ids.get(coordinator)))).toEqual(new Set(['blue']));
        await finishes(third);
        await service.reaches(id, 'rolled-back');
        await finishes(second);
        expect([await podsOf('green'), await rules()]).toEqual([0, before]);
      } finally {
        await load.stop();
      }
      expect(load.failures()).toEqual([]);
    }, 180_000);

    test('keeps the old side under its queries, calls a person when they take too long, and outlives its worker', async () => {
      const before = await rules();
      const query = await beginQuery(plane.url, longQuery);
      const example = await spec();
      const running = { ...example.running, timeout: '5s' } as RunningSpec; // the same way
      const id = await start({ ...example, running, keepOld: '1s', approve: false });
      const { status } = await service.reaches(id, 'needs-attention');
      expect(status.progress.parked).toEqual({ code: 'QUERIES_RUNNING', detail: '1 query still runs on trino-blue' });
      expect([status.stage, await podsOf('blue'), await chosen()]).toEqual(['drain', 1, 'green']);
      expect((await service.order(id, 'retry')).status).toBe(200);
      // until then the view is that of before
      await service.reaches(id, 'in-grace');
      await service.killWorker();
      await service.startWorker();
      await service.reaches(id, 'needs-attention');
      expect(await podsOf('blue')).toBe(1);
      await finishes(query);
      expect((await service.order(id, 'retry')).status).toBe(200);
      await service.reaches(id, 'deployed');
      expect([await podsOf('blue'), await podsOf('green'), await rules()]).toEqual([0, 1, before]);
    }, 180_000);

    test('waits with the switch until nothing runs, while its worker dies', async () => {
      const query = await beginQuery(plane.url, longQuery);
      expect(sideOf(query)).toBe('green');
      const id = await start(await spec({ ...(await waitIdle('1h')), keepOld: '0s' }, 'blue'));
      await runs(id, '1 query still runs on trino-green');
      await service.killWorker();
      await service.startWorker();
      expect([await chosen(), (await service.view(id)).status.phase]).toEqual(['green', 'shifting']);
      await finishes(query);
      await service.reaches(id, 'deployed');
      expect([await chosen(), await podsOf('green')]).toEqual(['blue', 0]);
    }, 180_000);

    test('goes back when it has waited for long enough', async () => {
      const query = await beginQuery(plane.url, longQuery);
      const id = await start(await spec(await waitIdle('2s')));
      const { status } = await service.reaches(id, 'rolled-back');
      expect(status.progress.outcome?.because).toContain('QUERIES_RUNNING 1 query still runs on trino-blue');
      expect([await chosen(), await podsOf('green')]).toEqual(['blue', 0]);
      await finishes(query);
    }, 180_000);
  },
);
