import type { V1Deployment } from '@kubernetes/client-node';
import type { RollingSpec } from '../../contracts/release-spec.ts';
import { lakeshift } from '../cli/support/run.ts';
import { exampleWith } from '../support/example.ts';
import { describeOnKubernetes, type Apis, type TestNamespace } from '../support/kubernetes/cluster.ts';
import { Releases } from '../support/kubernetes/releases.ts';
import type { RealService } from '../support/real-service.ts';

describeOnKubernetes('a rolling release', () => {
  let releases: Releases;
  let service: RealService;
  let namespace: TestNamespace;
  let apis: Apis;
  beforeAll(async () => {
    releases = await Releases.open();
    ({ service, namespace, apis } = releases);
    await releases.running('plain', { image: 'app:v2' });
  }, 60_000);
  afterAll(() => releases.close(), 60_000);

  const imageOf = ({ spec }: V1Deployment): string | undefined => spec?.template.spec?.containers[0]?.image;
  const isReady = ({ metadata, status }: V1Deployment, replicas: number): boolean =>
    status?.observedGeneration === metadata?.generation &&
    [status?.replicas, status?.updatedReplicas, status?.availableReplicas].every((count) => count === replicas);

  const spec = (name: string, more: Partial<RollingSpec> = {}): RollingSpec => ({
    name,
    strategy: 'rolling',
    target: 'k8s',
    workload: releases.at(name),
    images: { app: 'app:v2' },
    grace: '2s',
    drain: '1s',
    ...more,
  });

  test('ends with the new pods, and leaves nothing of ours in the workload: the example of Spark workers', async () => {
    await releases.running('spark-worker', { container: 'worker', image: 'spark:4.0.0' });
    const id = await releases.start(
      await exampleWith<RollingSpec>('10-rolling-of-spark-workers.yaml', {
        'k8s-data': 'k8s',
        'data-platform/spark-worker': releases.at('spark-worker'),
        'registry.example/spark:4.1.1': 'spark:4.1.1',
        '300s': '2s',
        '10s': '1s',
      }),
    );
    await service.reaches(id, 'deployed');
    const after = await releases.deployment('spark-worker');
    expect([imageOf(after), isReady(after, 3)]).toEqual(['spark:4.1.1', true]);
    expect(JSON.stringify(after)).not.toContain('lakeshift');
    expect(after.spec?.strategy?.rollingUpdate).toMatchObject({ maxSurge: 2, maxUnavailable: 1 });
  }, 60_000);

  test('of an image that is not there goes back by itself, with the old pods serving all the while', async () => {
    await releases.running('missing');
    const before = await releases.deployment('missing');
    const id = await releases.start(
      spec('missing', { images: { app: 'missing/app:v2' }, deadline: '3s', unavailable: 0 }),
    );
    const { status } = await service.reaches(id, 'rolled-back');
    expect(status.progress.because).toContain('ROLLOUT_STUCK');
    const after = await releases.deployment('missing');
    expect([imageOf(after), isReady(after, 3)]).toEqual(['app:v1', true]);
    expect(after.spec).toEqual(before.spec);
    expect(JSON.stringify(after)).not.toContain('lakeshift');
  }, 60_000);

  test('stops where it is when it is paused, repairs what somebody changed, and goes back when it is told to', async () => {
    await releases.running('paused', { env: { READY_AFTER_MS: '1500' } });
    const id = await releases.start(spec('paused', { surge: 1, unavailable: 0 }));
    await service.reaches(id, 'rolling');
    expect((await service.order(id, 'pause')).status).toBe(200);
    await service.until('Kubernetes to hold', async () =>
      (await releases.deployment('paused')).spec?.paused === true ? true : null,
    );
    await apis.apps.patchNamespacedDeployment({
      namespace: namespace.name,
      name: 'paused',
      body: [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'app:v3' }],
    });
    expect((await service.order(id, 'resume')).status).toBe(200);
    await service.until('the image of the plan', async () => {
      const now = await releases.deployment('paused');
      return imageOf(now) === 'app:v2' && now.spec?.paused !== true ? true : null;
    });
    expect((await service.order(id, 'abort')).status).toBe(200);
    await service.reaches(id, 'rolled-back');
    const after = await releases.deployment('paused');
    expect([imageOf(after), isReady(after, 3)]).toEqual(['app:v1', true]);
  }, 90_000);

  test('goes on when its worker is killed in the middle of it', async () => {
    await releases.running('killed', { env: { READY_AFTER_MS: '1000' } });
    const id = await releases.start(spec('killed', { surge: 1, unavailable: 0 }));
    await service.reaches(id, 'rolling');
    await service.killWorker();
    await service.startWorker();
    await service.reaches(id, 'deployed');
    expect(imageOf(await releases.deployment('killed'))).toBe('app:v2');
  }, 90_000);

  test('holds its workload: a second one is told who has it', async () => {
    await releases.running('held', { env: { READY_AFTER_MS: '2000' } });
    const id = await releases.start(spec('held'));
    const { status, body } = await service.post('/v1/deployments', spec('held', { images: { app: 'app:v9' } }));
    expect([status, body]).toEqual([409, expect.objectContaining({ code: 'TARGET_TAKEN', holder: id })]);
    await service.reaches(id, 'deployed');
  }, 60_000);

  test.each([
    ['a workload that is not there', { workload: 'NS/plane' }, '/workload', 'plain'],
    ['a container that is not there', { images: { ap: 'app:v2' } }, '/images/ap', 'app'],
  ] as const)('is refused for %s, with the nearest name', async (_, wrong, pointer, near) => {
    const wish = { ...spec('plain'), ...wrong };
    const { status, body } = await service.post('/v1/plans', {
      ...wish,
      workload: wish.workload.replace('NS', namespace.name),
    });
    expect(status).toBe(422);
    expect(JSON.stringify(body)).toContain(`"pointer":"${pointer}"`);
    expect(JSON.stringify(body)).toContain(near);
  });

  test('is refused for a table\u2019s target, for a workload that a repository keeps, and without a right', async () => {
    const wrong = await service.post('/v1/plans', { ...spec('plain'), target: 'shop' });
    expect([wrong.status, JSON.stringify(wrong.body)]).toEqual([
      422,
      expect.stringContaining('needs a target of dialect kubernetes'),
    ]);
    await releases.running('kept');
    await apis.apps.patchNamespacedDeployment({
      namespace: namespace.name,
      name: 'kept',
      body: [
        {
          op: 'add',
          path: '/metadata/annotations/argocd.argoproj.io~1tracking-id',
          value: 'shop:apps/Deployment:x/kept',
        },
      ],
    });
    const kept = await service.post('/v1/plans', spec('kept'));
    expect([kept.status, JSON.stringify(kept.body)]).toEqual([422, expect.stringContaining('Argo CD (shop) keeps')]);
    await apis.apps.patchNamespacedDeployment({
      namespace: namespace.name,
      name: 'plain',
      body: [{ op: 'add', path: '/spec/paused', value: true }],
    });
    const paused = await service.post('/v1/plans', spec('plain'));
    expect([paused.status, JSON.stringify(paused.body)]).toEqual([422, expect.stringContaining('has paused')]);
    await apis.apps.patchNamespacedDeployment({
      namespace: namespace.name,
      name: 'plain',
      body: [{ op: 'remove', path: '/spec/paused' }],
    });
    const foreign = await service.post('/v1/plans', { ...spec('plain'), workload: 'kube-system/coredns' });
    expect(foreign.body).toMatchObject({ code: 'RIGHTS_MISSING' });
  }, 60_000);

  test('is shown before it runs, with what is applied and what takes it back', async () => {
    const { body } = await service.post('/v1/plans', spec('plain', { images: { app: 'app:v3' } }));
    expect(body).toMatchObject({
      plan: {
        stages: [
          {
            kind: 'roll',
            title: 'app: app:v2 → app:v3',
            apply: { spec: { template: { spec: { containers: [{ name: 'app', image: 'app:v3' }] } } } },
            back: { spec: { template: { spec: { containers: [{ name: 'app', image: 'app:v2' }] } } } },
          },
        ],
      },
    });
    const { out } = await lakeshift(['targets'], { api: service.address });
    expect(out).toContain('kubernetes');
  });
});
