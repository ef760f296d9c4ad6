import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { V1Deployment, V1PodSpec } from '@kubernetes/client-node';
import { parse } from 'yaml';
import type { Report } from '../../contracts/api.ts';
import type { ShadowSpec } from '../../contracts/release-spec.ts';
import { kubeconfig } from '../../tools/kubernetes/kubeconfig.ts';
import { firstStartMs, planes } from '../support/data-planes/planes.ts';
import { sendRequests } from '../support/data-planes/requests.ts';
import { startTraefik } from '../support/data-planes/traefik.ts';
import {
  apisOf,
  describeOnKubernetes,
  freshNamespace,
  type Apis,
  type TestNamespace,
} from '../support/kubernetes/cluster.ts';
import { withClusterNames } from '../support/kubernetes/cluster-names.ts';
import { configMapOf } from '../support/kubernetes/config-map.ts';
import { deploymentOf, serviceOf } from '../support/kubernetes/deployment.ts';
import { rights } from '../support/kubernetes/rights.ts';
import { RealService } from '../support/real-service.ts';

describeOnKubernetes('a shadow', () => {
  let service: RealService;
  let namespace: TestNamespace;
  let apis: Apis;
  beforeAll(async () => {
    namespace = await freshNamespace();
    apis = apisOf(namespace.admin);
    await namespace.allow(...rights);
    service = await RealService.onCluster(kubeconfig(namespace.guest, 'lakeshift'), {
      workerEnv: withClusterNames(namespace.admin),
    });
  }, 60_000);
  afterAll(async () => {
    await service.stop();
    await namespace.drop();
  }, 60_000);

  const deployment = (name: string): Promise<V1Deployment> =>
    apis.apps.readNamespacedDeployment({ namespace: namespace.name, name });

  const podsOf = async (name: string): Promise<readonly string[]> => {
    const found = await apis.core.listNamespacedPod({ namespace: namespace.name, labelSelector: `app=${name}` });
    return found.items.map(({ metadata }) => metadata?.uid ?? '').toSorted();
  };
  /** The stable side as it was, and its very pods. */
  interface Before {
    readonly spec: V1Deployment;
    readonly pods: readonly string[];
  }

  /** Two pods of version v1; each version says what its variable tells it to. */
  async function serving(
    name: string,
    env: Readonly<Record<string, string>> = {},
    pod: Partial<V1PodSpec> = {},
  ): Promise<Before> {
    await apis.core.createNamespacedService({ namespace: namespace.name, body: serviceOf(name) });
    const body = deploymentOf(name, { replicas: 2, env: { SINK: 'production', ...env }, pod });
    await apis.apps.createNamespacedDeployment({ namespace: namespace.name, body });
    const spec = await service.until(`${name} to serve`, async () => {
      const found = await deployment(name);
      return found.status?.availableReplicas === 2 ? found : null;
    });
    return { spec, pods: await podsOf(name) };
  }
  const address = (name: string): string => `http://${name}.${namespace.name}.svc:8080`;
  const spec = (name: string, more: Partial<ShadowSpec> = {}): ShadowSpec => ({
    name,
    strategy: 'shadow',
    target: 'k8s',
    workload: `${namespace.name}/${name}`,
    service: name,
    images: { app: 'app:v2' },
    writes: 'none',
    sides: { stable: address(name), candidate: address(`${name}-candidate`) },
    requests: {
      list: [
        { method: 'GET', path: '/score?id=1' },
        { method: 'GET', path: '/score?id=2' },
      ],
    },
    compare: { ignore: ['/pod', '/version'] },
    agree: '95%',
    atLeast: 200,
    rate: 500,
    ...more,
  });
  const start = async (wanted: ShadowSpec): Promise<string> => (await service.deploy(wanted, randomUUID())).status.id;
  const report = async (id: string): Promise<Report> =>
    (await (await fetch(`${service.address}/v1/deployments/${id}/report`)).json()) as Report; // the API's schema promises it

  /** Nothing of the candidate, and nothing of us in what is left. */
  async function isAsBefore(name: string, before: Before): Promise<void> {
    const [deployments, services] = await Promise.all([
      apis.apps.listNamespacedDeployment({ namespace: namespace.name }),
      apis.core.listNamespacedService({ namespace: namespace.name }),
    ]);
    const own = [...deployments.items, ...services.items].filter(({ metadata }) => metadata?.name?.startsWith(name));
    expect(own.map(({ metadata }) => metadata?.name)).toEqual([name, name]);
    expect(JSON.stringify(own)).not.toContain('lakeshift');
    expect((await deployment(name)).spec).toEqual(before.spec.spec);
    expect(await podsOf(name)).toEqual(before.pods);
  }

  test('whose candidate answers as the stable side does is deployed, and leaves nothing behind', async () => {
    const before = await serving('same');
    const id = await start(spec('same'));
    await service.reaches(id, 'deployed');
    const { shadow } = await report(id);
    expect(shadow).toMatchObject({ compared: 200, agreed: 200, silent: 0, differs: [], requests: 2 });
    expect(shadow?.interval?.low).toBeGreaterThan(0.95);
    expect(shadow?.latency.candidate.p99Ms).toBeGreaterThan(0);
    await isAsBefore('same', before);
  }, 90_000);

  test('whose candidate differs in one field goes back, and says in which, but not what stands there', async () => {
    const before = await serving('other', { ANSWER: '{"score":0.25}', ANSWER_v2: '{"score":0.75}' });
    const id = await start(spec('other'));
    const { status } = await service.reaches(id, 'rolled-back');
    expect(status.progress.outcome?.because).toMatch(
      /^0 of 200 answers agree \(0 %; 0 to \d.* they differ in \/score \(200\); 95 % is wanted$/,
    );
    const told = await report(id);
    expect(told.shadow?.differs).toEqual([{ at: '/score', count: 200 }]);
    expect(JSON.stringify(told)).not.toMatch(/0\.25|0\.75/);
    await isAsBefore('other', before);
  }, 90_000);

  test('forgives numbers what the spec forgives, and the stable side what it differs in from itself', async () => {
    const before = await serving('about', { ANSWER: '{"score":0.91}', ANSWER_v2: '{"score":0.912}', COUNTS: '1' });
    const compare = { ignore: ['/pod', '/version'], tolerance: [{ at: '/score', absolute: 0.01 }] };
    const id = await start(spec('about', { compare, noise: true, agree: '60%', rate: 100 }));
    await service.reaches(id, 'deployed', 'rolled-back');
    const { shadow } = await report(id);
    expect(shadow?.noise[0]?.at).toBe('/asked');
    expect(shadow?.noise[0]?.count).toBeGreaterThan(100);
    expect(shadow?.differs.map(({ at }) => at)).not.toContain('/score');
    await isAsBefore('about', before);
  }, 90_000);

  test('holds it against the candidate that it does not answer', async () => {
    const before = await serving('fails', { ANSWER: '{}' });
    const sides = { stable: address('fails'), candidate: address('nobody') };
    const id = await start(spec('fails', { sides }));
    await service.reaches(id, 'rolled-back');
    expect((await report(id)).shadow?.differs).toEqual([{ at: 'no answer', count: 200 }]);
    await isAsBefore('fails', before);
  }, 90_000);

  test('tells nothing without answers of the stable side: a person is called', async () => {
    const before = await serving('quiet');
    const sides = { stable: address('nobody'), candidate: address('quiet-candidate') };
    const id = await start(spec('quiet', { sides, blindFor: '1s', rate: 100 }));
    const { status } = await service.reaches(id, 'needs-attention');
    expect(status.progress.parked).toMatchObject({ code: 'GATE_HELD' });
    expect(status.progress.shadow).toMatchObject({ compared: 0, agreed: 0 });
    expect((await service.order(id, 'rollback')).status).toBe(200);
    await service.reaches(id, 'rolled-back');
    await isAsBefore('quiet', before);
  }, 90_000);

  test('is refused without a word on what it writes, and where another Service would find its pods', async () => {
    await serving('word');
    const { writes: _, ...silent } = spec('word');
    expect(await service.post('/v1/plans', silent)).toMatchObject({
      status: 422,
      body: { code: 'SPEC_INVALID', errors: [{ pointer: '/writes', detail: 'is missing' }] },
    });
    const body = serviceOf('word-too');
    Object.assign(body.spec ?? {}, { selector: { app: 'word-candidate' } });
    await apis.core.createNamespacedService({ namespace: namespace.name, body });
    const answer = await service.post('/v1/plans', spec('word'));
    expect(answer).toMatchObject({ status: 422, body: { code: 'PLAN_REFUSED' } });
    expect(JSON.stringify(answer.body)).toContain('Service word-too would select the candidate');
    await apis.core.deleteNamespacedService({ namespace: namespace.name, name: 'word-too' });
  }, 90_000);

  test('writes elsewhere by a variable that is there, and is taken back for one that nobody reads', async () => {
    const begins = {
      name: 'begin',
      image: 'begin:v1',
      env: [
        { name: 'A', value: 'a' },
        { name: 'SINK', value: 'p' },
      ],
    };
    const before = await serving('sink', { LAST: '$(SINK)/last' }, { initContainers: [begins] });
    const env = { SINK: { secret: 'shadow', key: 'sink' } };
    const id = await start(spec('sink', { writes: { env }, rate: 10, atLeast: 10_000 }));
    await service.reaches(id, 'comparing');
    const { spec: made } = await deployment('sink-candidate');
    const ours = { name: 'SINK', valueFrom: { secretKeyRef: { name: 'shadow', key: 'sink' } } };
    expect(made?.template.spec?.containers[0]?.env).toEqual([ours, { name: 'LAST', value: '$(SINK)/last' }]);
    expect(made?.template.spec?.initContainers?.[0]?.env).toEqual([{ name: 'A', value: 'a' }, ours]);
    expect((await service.order(id, 'abort')).status).toBe(200);
    await service.reaches(id, 'rolled-back');
    await isAsBefore('sink', before);
    const wrong = await start(spec('sink', { name: 'sink-2', writes: { env: { SNIK: { value: 'shadow' } } } }));
    const { status } = await service.reaches(wrong, 'rolled-back');
    expect(status.progress.outcome?.because).toContain('no container has a variable SNIK');
    await isAsBefore('sink', before);
  }, 90_000);

  test('asks nothing of a ConfigMap that holds what may not be harmless, and does not say what', async () => {
    const before = await serving('batch');
    const requests = [{ method: 'POST', path: '/pay?card=4711' }];
    const body = configMapOf('batch', { 'requests.json': JSON.stringify(requests) });
    await apis.core.createNamespacedConfigMap({ namespace: namespace.name, body });
    const id = await start(spec('batch', { requests: { configMap: 'batch', key: 'requests.json' } }));
    const { status } = await service.reaches(id, 'rolled-back');
    expect(status.progress.outcome?.because).toContain('item 0 of requests.json is no request that may be asked again');
    expect(JSON.stringify(await report(id))).not.toContain('4711');
    await isAsBefore('batch', before);
  }, 90_000);

  test('goes on when its worker is killed in the middle', async () => {
    const before = await serving('killed');
    // 200 that agree do not show 99 %: it takes another look, a few seconds later
    const id = await start(spec('killed', { agree: '99%', rate: 100 }));
    await service.until('the first look', async () =>
      ((await service.view(id)).status.progress.shadow?.compared ?? 0) >= 200 ? true : null,
    );
    await service.killWorker();
    await service.startWorker();
    await service.reaches(id, 'deployed');
    expect((await report(id)).shadow).toMatchObject({ differs: [], silent: 0 });
    await isAsBefore('killed', before);
  }, 90_000);

  test('of a scoring service, as the example has it', async () => {
    const text = readFileSync(new URL('../../examples/12-shadow-of-a-scoring-service.yaml', import.meta.url), 'utf8');
    const example = parse(text.replaceAll('.ml.svc', `.${namespace.name}.svc`)) as ShadowSpec; // its shape is proved of all examples
    const before = await serving('scoring', {
      ANSWER: '{"score":0.91}',
      ANSWER_7: '{"score":0.912}',
      FEATURE_LOG: 'features',
    });
    const headers = { 'content-type': 'application/json' };
    const requests = [1, 2, 3].map((id) => ({
      method: 'POST',
      path: '/v1/score',
      headers,
      body: JSON.stringify({ id }),
    }));
    const body = configMapOf('scoring-requests', { 'requests.json': JSON.stringify(requests) });
    await apis.core.createNamespacedConfigMap({ namespace: namespace.name, body });
    const id = await start({ ...example, target: 'k8s', workload: `${namespace.name}/scoring`, rate: 500 });
    await service.reaches(id, 'deployed');
    expect((await report(id)).shadow).toMatchObject({ compared: 1_000, agreed: 1_000, requests: 3 });
    await isAsBefore('scoring', before);
  }, 90_000);

  const lacking = planes.find(({ name }) => name === 'traefik')?.lacking ?? '';
  (lacking === '' ? test : test.skip)(
    `answers no request of a user, while thousands come through Traefik${lacking === '' ? '' : ` (${lacking})`}`,
    async () => {
      const before = await serving('users');
      const plane = await startTraefik(namespace, { stable: 'users' });
      const users = await sendRequests({ url: plane.url, connections: 16, perSecond: 500 });
      try {
        const id = await start(spec('users', { agree: '99%', rate: 200 }));
        await service.reaches(id, 'deployed');
        await service.until('enough requests', async () => ((await users.counts()).sent >= 3_000 ? true : null));
        const counts = await users.stop();
        expect(counts).toMatchObject({ failed: {}, lost: 0, underWay: 0, answered: counts.sent });
        expect(counts.byVersion).toEqual({ v1: counts.sent });
        // it was asked all the while, by us
        expect((await report(id)).shadow?.compared).toBeGreaterThanOrEqual(400);
        await isAsBefore('users', before);
      } finally {
        await users.end();
        await plane.stop();
      }
    },
    firstStartMs,
  );
});
