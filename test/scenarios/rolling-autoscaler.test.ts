import {
  AutoscalingV2Api,
  type V2HorizontalPodAutoscaler,
  type V2HorizontalPodAutoscalerBehavior,
} from '@kubernetes/client-node';
import type { RollingSpec } from '../../contracts/release-spec.ts';
import { createAll } from '../support/data-planes/objects.ts';
import { autoscalerOf, slowly } from '../support/kubernetes/autoscaler.ts';
import {
  configOf,
  describeOnKubernetes,
  withCustomResources,
  type Apis,
  type TestNamespace,
} from '../support/kubernetes/cluster.ts';
import { serviceOf } from '../support/kubernetes/deployment.ts';
import { Releases } from '../support/kubernetes/releases.ts';
import type { RealService } from '../support/real-service.ts';

describeOnKubernetes('a rolling release of a workload that is scaled by itself', () => {
  let releases: Releases;
  let service: RealService;
  let namespace: TestNamespace;
  let apis: Apis;
  let autoscaling: AutoscalingV2Api;
  beforeAll(async () => {
    releases = await Releases.open();
    ({ service, namespace, apis } = releases);
    autoscaling = configOf(namespace.admin).makeApiClient(AutoscalingV2Api);
  }, 60_000);
  afterAll(() => releases.close(), 60_000);

  const scaler = (name: string): Promise<V2HorizontalPodAutoscaler> =>
    autoscaling.readNamespacedHorizontalPodAutoscaler({ namespace: namespace.name, name });
  const policyOf = async (name: string): Promise<string | undefined> =>
    (await scaler(name)).spec.behavior?.scaleDown?.selectPolicy;

  async function scaled(
    name: string,
    behavior?: V2HorizontalPodAutoscalerBehavior,
    owner?: V2HorizontalPodAutoscaler,
  ): Promise<V2HorizontalPodAutoscaler> {
    const body = autoscalerOf(name, behavior, owner);
    await autoscaling.createNamespacedHorizontalPodAutoscaler({ namespace: namespace.name, body });
    await releases.running(name);
    return scaler(name);
  }
  const spec = (name: string, more: Partial<RollingSpec> = {}): RollingSpec => ({
    name,
    strategy: 'rolling',
    target: 'k8s',
    workload: releases.at(name),
    images: { app: 'app:v2' },
    batches: { size: 2, pause: '1h' },
    grace: '2s',
    drain: '0s',
    ...more,
  });
  test('has its autoscaler scale up only, keeps what people change of it, and gives it back', async () => {
    await scaled('plain');
    const id = await releases.start(spec('plain'));
    await service.reaches(id, 'in-grace');
    expect(await policyOf('plain')).toBe('Disabled');
    await autoscaling.patchNamespacedHorizontalPodAutoscaler({
      namespace: namespace.name,
      name: 'plain',
      body: [{ op: 'replace', path: '/spec/maxReplicas', value: 9 }],
    });
    await releases.skip(id);
    await service.reaches(id, 'deployed');
    const after = await scaler('plain');
    expect([after.spec.behavior, after.spec.maxReplicas]).toEqual([undefined, 9]);
    expect(JSON.stringify(after)).not.toContain('lakeshift');
  }, 90_000);

  test('gives it back exactly as it was when the release is aborted', async () => {
    const before = await scaled('back', slowly);
    const id = await releases.start(spec('back'));
    await service.reaches(id, 'in-grace');
    expect(await policyOf('back')).toBe('Disabled');
    await releases.order(id, 'abort');
    await service.reaches(id, 'rolled-back');
    const after = await scaler('back');
    expect(after.spec).toEqual(before.spec);
    expect(JSON.stringify(after)).not.toContain('lakeshift');
  }, 90_000);

  test('leaves what somebody has chosen meanwhile, and goes back without one that is gone', async () => {
    await scaled('chosen', slowly);
    await scaled('gone', slowly);
    const ids = [await releases.start(spec('chosen')), await releases.start(spec('gone'))] as const;
    for (const id of ids) await service.reaches(id, 'in-grace');
    await autoscaling.patchNamespacedHorizontalPodAutoscaler({
      namespace: namespace.name,
      name: 'chosen',
      body: [{ op: 'replace', path: '/spec/behavior/scaleDown/selectPolicy', value: 'Max' }],
    });
    await autoscaling.deleteNamespacedHorizontalPodAutoscaler({ namespace: namespace.name, name: 'gone' });
    for (const id of ids) {
      await releases.order(id, 'abort');
      await service.reaches(id, 'rolled-back');
    }
    expect(await policyOf('chosen')).toBe('Max');
  }, 90_000);

  test('in canary and blue-green releases, too, may only be scaled up, until they end', async () => {
    const before = [await scaled('canary', slowly), await scaled('both-blue', slowly)];
    await releases.running('both-green', { replicas: 0 });
    const [alone, both] = [serviceOf('canary'), serviceOf('both')];
    Object.assign(both.spec ?? {}, { selector: { app: 'both-blue' } });
    for (const body of [alone, both]) await apis.core.createNamespacedService({ namespace: namespace.name, body });
    const common = {
      target: 'k8s',
      images: { app: 'app:v2' },
      seen: false,
      grace: '2s',
      drain: '0s',
      every: '1s',
    } as const;
    const rules = [{ backendRefs: [{ name: 'canary', port: 8080 }] }];
    await withCustomResources('gateway-api');
    await createAll(namespace.admin, [
      {
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'HTTPRoute',
        metadata: { name: 'canary', namespace: namespace.name },
        spec: { rules },
      },
    ]);
    const ids = [
      await releases.start({
        ...common,
        name: 'canary',
        strategy: 'canary',
        workload: releases.at('canary'),
        service: 'canary',
        route: { via: 'gateway-api', name: 'canary' },
        steps: [{ weight: 50, for: '1h' }, { weight: 100 }],
      }),
      await releases.start({
        ...common,
        name: 'both',
        strategy: 'blue-green',
        service: releases.at('both'),
        slots: { label: 'app', blue: 'both-blue', green: 'both-green' },
        watch: { for: '1h' },
      }),
    ] as const;
    await releases.reaches(ids[0], 'weight-50');
    await releases.reaches(ids[1], 'switch');
    expect([await policyOf('canary'), await policyOf('both-blue')]).toEqual(['Disabled', 'Disabled']);
    for (const id of ids) await releases.order(id, 'abort');
    for (const id of ids) await service.reaches(id, 'rolled-back');
    const after = [await scaler('canary'), await scaler('both-blue')];
    expect(after.map(({ spec: scaling }) => scaling)).toEqual(before.map(({ spec: scaling }) => scaling));
    expect(JSON.stringify(after)).not.toContain('lakeshift');
  }, 90_000);

  test('shows it in the plan with its undo, before the approval of the release', async () => {
    await scaled('shown');
    const { body } = await service.post('/v1/plans', spec('shown', { approve: 'platform' }));
    const { plan } = body as { plan: { stages: readonly { name: string; undoTitle: string; approve: unknown }[] } };
    expect(plan.stages.map(({ name }) => name)).toEqual([
      'hold-scaling',
      'batch-1',
      'pause-1',
      'batch-2',
      'free-scaling',
    ]);
    expect(plan.stages[0]).toMatchObject({
      undoTitle: 'shown: scales as before',
      approve: { group: 'platform' },
      autoscalers: [{ name: 'shown', before: null }],
    });
    expect(plan.stages[1]?.approve).toBeNull();
  }, 60_000);

  test('warns of one that another object keeps, and does not touch it', async () => {
    const owner = await scaled('owner');
    await scaled('kept', undefined, owner);
    const { body } = await service.post('/v1/plans', spec('kept'));
    expect(JSON.stringify(body)).toContain('HorizontalPodAutoscaler owner keeps HorizontalPodAutoscaler kept');
    expect(JSON.stringify(body)).not.toContain('hold-scaling');
  }, 60_000);
});
