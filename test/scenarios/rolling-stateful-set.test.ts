import type { V1StatefulSet } from '@kubernetes/client-node';
import type { RollingSpec } from '../../contracts/release-spec.ts';
import { describeOnKubernetes, type Apis, type TestNamespace } from '../support/kubernetes/cluster.ts';
import type { Wishes } from '../support/kubernetes/deployment.ts';
import { Releases } from '../support/kubernetes/releases.ts';
import { statefulSetOf } from '../support/kubernetes/stateful-set.ts';
import type { RealService } from '../support/real-service.ts';

describeOnKubernetes('a rolling release of a StatefulSet', () => {
  let releases: Releases;
  let service: RealService;
  let namespace: TestNamespace;
  let apis: Apis;
  beforeAll(async () => {
    releases = await Releases.open();
    ({ service, namespace, apis } = releases);
  }, 60_000);
  afterAll(() => releases.close(), 60_000);

  const read = (name: string): Promise<V1StatefulSet> =>
    apis.apps.readNamespacedStatefulSet({ namespace: namespace.name, name });
  const imageOf = ({ spec }: V1StatefulSet): string | undefined => spec?.template.spec?.containers[0]?.image;
  const partitionOf = ({ spec }: V1StatefulSet): number | undefined => spec?.updateStrategy?.rollingUpdate?.partition;

  /** The image of each pod, by its number. */
  async function images(name: string): Promise<readonly (string | undefined)[]> {
    return (await releases.podsOf(name))
      .toSorted((one, other) => (one.metadata?.name ?? '').localeCompare(other.metadata?.name ?? ''))
      .map(({ spec }) => spec?.containers[0]?.image);
  }

  async function running(name: string, wishes: Wishes = {}): Promise<void> {
    await apis.apps.createNamespacedStatefulSet({ namespace: namespace.name, body: statefulSetOf(name, wishes) });
    await service.until(`${name} to be ready`, async () =>
      (await read(name)).status?.readyReplicas === (wishes.replicas ?? 3) ? true : null,
    );
  }
  const spec = (name: string, more: Partial<RollingSpec> = {}): RollingSpec => ({
    name,
    strategy: 'rolling',
    target: 'k8s',
    kind: 'StatefulSet',
    workload: releases.at(name),
    images: { app: 'app:v2' },
    grace: '2s',
    drain: '0s',
    ...more,
  });

  test('goes pod by pod from the highest number down, and leaves nothing of ours', async () => {
    await running('plain');
    const id = await releases.start(spec('plain'));
    await service.reaches(id, 'deployed');
    const after = await read('plain');
    expect([imageOf(after), partitionOf(after), await images('plain')]).toEqual([
      'app:v2',
      0,
      ['app:v2', 'app:v2', 'app:v2'],
    ]);
    expect(JSON.stringify(after)).not.toContain('lakeshift');
    const { stages } = await service.plan(id);
    expect(stages.map(({ name, title }) => [name, title])).toEqual([
      ['batch-1', '1 of 3 pods: app: app:v1 → app:v2'],
      ['batch-2', '2 of 3 pods: app: app:v1 → app:v2'],
      ['batch-3', '3 of 3 pods: app: app:v1 → app:v2'],
    ]);
  }, 90_000);

  test('holds the other pods back between its batches, and goes back from there', async () => {
    await running('held', { replicas: 4 });
    const before = await read('held');
    const id = await releases.start(spec('held', { batches: { size: '50%', pause: '1h' } }));
    await service.reaches(id, 'in-grace');
    expect([partitionOf(await read('held')), await images('held')]).toEqual([
      2,
      ['app:v1', 'app:v1', 'app:v2', 'app:v2'],
    ]);
    expect((await service.order(id, 'abort')).status).toBe(200);
    await service.reaches(id, 'rolled-back');
    const after = await read('held');
    expect([after.spec, await images('held')]).toEqual([before.spec, Array(4).fill('app:v1')]);
    expect(JSON.stringify(after)).not.toContain('lakeshift');
  }, 120_000);

  test('of an image that is not there goes back, though its controller would wait for the broken pod for ever', async () => {
    await running('missing');
    const id = await releases.start(spec('missing', { images: { app: 'missing/app:v2' }, deadline: '3s' }));
    const { status } = await service.reaches(id, 'rolled-back');
    expect(status.progress.because).toContain('ROLLOUT_STUCK');
    const after = await read('missing');
    expect([after.status?.readyReplicas, await images('missing')]).toEqual([3, Array(3).fill('app:v1')]);
  }, 120_000);

  test('goes back when what has to answer after a batch does not', async () => {
    await running('asked');
    const probes = [{ tcp: '127.0.0.1:1', timeout: '1s' }] as const;
    const id = await releases.start(
      spec('asked', { batches: { size: 1, validate: { probes, tries: 2, every: '1s' } } }),
    );
    const { status } = await service.reaches(id, 'rolled-back');
    expect(status.progress.because).toContain('VALIDATION_FAILED');
    expect(await images('asked')).toEqual(Array(3).fill('app:v1'));
  }, 120_000);

  test('keeps its partition while it is paused, and repairs what somebody changes', async () => {
    await running('paused', { env: { READY_AFTER_MS: '1500' } });
    const id = await releases.start(spec('paused'));
    await service.until('the first new pod', async () => ((await images('paused'))[2] === 'app:v2' ? true : null));
    expect((await service.order(id, 'pause')).status).toBe(200);
    const held = partitionOf(await read('paused'));
    await apis.apps.patchNamespacedStatefulSet({
      namespace: namespace.name,
      name: 'paused',
      body: [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'missing/app:v3' }],
    });
    await service.until('a broken pod', async () =>
      (await images('paused')).includes('missing/app:v3') ? true : null,
    );
    expect([partitionOf(await read('paused')), (await images('paused'))[0]]).toEqual([held, 'app:v1']);
    expect((await service.order(id, 'resume')).status).toBe(200);
    await service.reaches(id, 'deployed');
    expect(await images('paused')).toEqual(Array(3).fill('app:v2'));
  }, 120_000);

  test.each([
    ['a StatefulSet that is not there', { workload: 'NS/plane' }, '/workload', 'there is no StatefulSet'],
    ['a surge, which it has not', { surge: 1 }, '/surge', 'is of no use with batches'],
  ] as const)('is refused for %s', async (_, wrong, pointer, detail) => {
    const wish = { ...spec('plain'), ...wrong };
    const { status, body } = await service.post('/v1/plans', {
      ...wish,
      workload: wish.workload.replace('NS', namespace.name),
    });
    expect([status, JSON.stringify(body)]).toEqual([422, expect.stringContaining(`"pointer":"${pointer}"`)]);
    expect(JSON.stringify(body)).toContain(detail);
  });

  test('is refused while somebody else holds its pods back', async () => {
    await running('partitioned', { replicas: 1 });
    await apis.apps.patchNamespacedStatefulSet({
      namespace: namespace.name,
      name: 'partitioned',
      body: [{ op: 'replace', path: '/spec/updateStrategy/rollingUpdate/partition', value: 1 }],
    });
    const { status, body } = await service.post('/v1/plans', spec('partitioned'));
    expect([status, JSON.stringify(body)]).toEqual([422, expect.stringContaining('(partition 1)')]);
  }, 60_000);
});
