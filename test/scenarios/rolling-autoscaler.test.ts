import { randomUUID } from 'node:crypto';
import {
  AutoscalingV2Api,
  type V2HorizontalPodAutoscaler,
  type V2HorizontalPodAutoscalerBehavior,
} from '@kubernetes/client-node';
import type { RollingSpec } from '../../contracts/release-spec.ts';
import { kubeconfig } from '../../tools/kubernetes/kubeconfig.ts';
import { autoscalerOf, slowly } from '../support/kubernetes/autoscaler.ts';
import {
  apisOf,
  configOf,
  describeOnKubernetes,
  freshNamespace,
  type Apis,
  type TestNamespace,
} from '../support/kubernetes/cluster.ts';
import { deploymentOf } from '../support/kubernetes/deployment.ts';
import { rights } from '../support/kubernetes/rights.ts';
import { RealService } from '../support/real-service.ts';

describeOnKubernetes('a rolling release of a workload that is scaled by itself', () => {
  let service: RealService;
  let namespace: TestNamespace;
  let apis: Apis;
  let autoscaling: AutoscalingV2Api;
  beforeAll(async () => {
    namespace = await freshNamespace();
    apis = apisOf(namespace.admin);
    autoscaling = configOf(namespace.admin).makeApiClient(AutoscalingV2Api);
    await namespace.allow(...rights);
    service = await RealService.onCluster(kubeconfig(namespace.guest, 'lakeshift'));
  }, 60_000);
  afterAll(async () => {
    await service.stop();
    await namespace.drop();
  }, 60_000);

  const scaler = (name: string): Promise<V2HorizontalPodAutoscaler> =>
    autoscaling.readNamespacedHorizontalPodAutoscaler({ namespace: namespace.name, name });
  const policyOf = async (name: string): Promise<string | undefined> =>
    (await scaler(name)).spec.behavior?.scaleDown?.selectPolicy;

  async function scaled(
    name: string,
    behavior?: V2HorizontalPodAutoscalerBehavior,
    owner?: V2HorizontalPodAutoscaler,
  ): Promise<V2HorizontalPodAutoscaler> {
    await apis.apps.createNamespacedDeployment({ namespace: namespace.name, body: deploymentOf(name) });
    await autoscaling.createNamespacedHorizontalPodAutoscaler({
      namespace: namespace.name,
      body: autoscalerOf(name, behavior, owner),
    });
    await service.until(`${name} to be ready`, async () => {
      const { status } = await apis.apps.readNamespacedDeployment({ namespace: namespace.name, name });
      return status?.availableReplicas === 3 ? true : null;
    });
    return scaler(name);
  }
  const spec = (name: string, more: Partial<RollingSpec> = {}): RollingSpec => ({
    name,
    strategy: 'rolling',
    target: 'k8s',
    workload: `${namespace.name}/${name}`,
    images: { app: 'app:v2' },
    batches: { size: 2, pause: '1h' },
    grace: '2s',
    drain: '0s',
    ...more,
  });
  const start = async (wanted: RollingSpec): Promise<string> => (await service.deploy(wanted, randomUUID())).status.id;
  test('has its autoscaler scale up only, keeps what people change of it, and gives it back', async () => {
    await scaled('plain');
    const id = await start(spec('plain'));
    await service.reaches(id, 'in-grace');
    expect(await policyOf('plain')).toBe('Disabled');
    await autoscaling.patchNamespacedHorizontalPodAutoscaler({
      namespace: namespace.name,
      name: 'plain',
      body: [{ op: 'replace', path: '/spec/maxReplicas', value: 9 }],
    });
    const { planHash } = (await service.view(id)).status;
    expect((await service.order(id, 'skip', { planHash })).status).toBe(200);
    await service.reaches(id, 'deployed');
    const after = await scaler('plain');
    expect([after.spec.behavior, after.spec.maxReplicas]).toEqual([undefined, 9]);
    expect(JSON.stringify(after)).not.toContain('lakeshift');
  }, 90_000);

  test('gives it back exactly as it was when the release is aborted', async () => {
    const before = await scaled('back', slowly);
    const id = await start(spec('back'));
    await service.reaches(id, 'in-grace');
    expect(await policyOf('back')).toBe('Disabled');
    expect((await service.order(id, 'abort')).status).toBe(200);
    await service.reaches(id, 'rolled-back');
    const after = await scaler('back');
    expect(after.spec).toEqual(before.spec);
    expect(JSON.stringify(after)).not.toContain('lakeshift');
  }, 90_000);

  test('leaves what somebody has chosen meanwhile, and goes back without one that is gone', async () => {
    await scaled('chosen', slowly);
    await scaled('gone', slowly);
    const ids = [await start(spec('chosen')), await start(spec('gone'))] as const;
    for (const id of ids) await service.reaches(id, 'in-grace');
    await autoscaling.patchNamespacedHorizontalPodAutoscaler({
      namespace: namespace.name,
      name: 'chosen',
      body: [{ op: 'replace', path: '/spec/behavior/scaleDown/selectPolicy', value: 'Max' }],
    });
    await autoscaling.deleteNamespacedHorizontalPodAutoscaler({ namespace: namespace.name, name: 'gone' });
    for (const id of ids) {
      expect((await service.order(id, 'abort')).status).toBe(200);
      await service.reaches(id, 'rolled-back');
    }
    expect(await policyOf('chosen')).toBe('Max');
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
