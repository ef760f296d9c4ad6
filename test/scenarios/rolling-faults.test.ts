import {
  AdmissionregistrationV1Api,
  PatchStrategy,
  setHeaderOptions,
  type V1Deployment,
} from '@kubernetes/client-node';
import type { RollingSpec } from '../../contracts/release-spec.ts';
import { kubeconfig } from '../../tools/kubernetes/kubeconfig.ts';
import {
  configOf,
  describeOnKubernetes,
  freshNamespace,
  type Apis,
  type TestNamespace,
} from '../support/kubernetes/cluster.ts';
import { deploymentOf, type Wishes } from '../support/kubernetes/deployment.ts';
import { Gate } from '../support/kubernetes/gate.ts';
import { bindingOf, policyOf, quotaOf } from '../support/kubernetes/rules.ts';
import { Releases } from '../support/kubernetes/releases.ts';
import { rights } from '../support/kubernetes/rights.ts';
import type { RealService } from '../support/real-service.ts';

const awayMs = 10_000;

describeOnKubernetes('a rolling release that its cluster disturbs', () => {
  let releases: Releases;
  let service: RealService;
  let gate: Gate;
  let namespace: TestNamespace;
  let apis: Apis;
  beforeAll(async () => {
    releases = await Releases.prepare();
    gate = await Gate.to(releases.namespace.guest);
    await releases.serve({ kubeconfig: kubeconfig(gate.access, 'lakeshift') });
    ({ service, namespace, apis } = releases);
  }, 60_000);
  afterAll(async () => {
    await releases.close();
    await gate.shut();
  }, 60_000);

  const read = (name: string, where = namespace): Promise<V1Deployment> =>
    apis.apps.readNamespacedDeployment({ namespace: where.name, name });
  const imageOf = ({ spec }: V1Deployment): string | undefined => spec?.template.spec?.containers[0]?.image;

  async function running(name: string, wishes: Wishes = {}, where = namespace): Promise<V1Deployment> {
    await apis.apps.createNamespacedDeployment({ namespace: where.name, body: deploymentOf(name, wishes) });
    return service.until(`${name} to be ready`, async () => {
      const found = await read(name, where);
      return found.status?.availableReplicas === 3 ? found : null;
    });
  }
  const spec = (name: string, more: Partial<RollingSpec> = {}): RollingSpec => ({
    name,
    strategy: 'rolling',
    target: 'k8s',
    workload: releases.at(name),
    images: { app: 'app:v2' },
    surge: 1,
    unavailable: 0,
    grace: '2s',
    drain: '0s',
    ...more,
  });
  async function elsewhere(): Promise<TestNamespace> {
    const other = await freshNamespace();
    await other.allow(...rights);
    return other;
  }

  test('whose surge a quota refuses goes back, and says who makes no pods', async () => {
    const tight = await elsewhere();
    await running('full', {}, tight);
    await apis.core.createNamespacedResourceQuota({
      namespace: tight.name,
      body: quotaOf('pods', 3),
    });
    await service.until('the quota to count', async () => {
      const { status } = await apis.core.readNamespacedResourceQuota({ namespace: tight.name, name: 'pods' });
      return status?.used?.['pods'] === '3' ? true : null;
    });
    const id = await releases.start(spec('full', { workload: `${tight.name}/full`, deadline: '3s' }));
    const { status } = await service.reaches(id, 'rolled-back');
    expect(status.progress.because).toMatch(/ROLLOUT_STUCK.*0 of 3 pods are new, FailedCreate/);
    const after = await read('full', tight);
    expect([imageOf(after), after.status?.availableReplicas]).toEqual(['app:v1', 3]);
    await tight.drop();
  }, 120_000);

  test('whose template an admission policy refuses goes back, and keeps the policy\u2019s words to itself', async () => {
    const ruled = await elsewhere();
    const before = await running('ruled', {}, ruled);
    const policies = configOf(ruled.admin).makeApiClient(AdmissionregistrationV1Api);
    const name = `no-v2-${ruled.name}`;
    await policies.createValidatingAdmissionPolicy({ body: policyOf(name, 'v2', 'a secret of the policy') });
    try {
      await policies.createValidatingAdmissionPolicyBinding({ body: bindingOf(name, ruled.name) });
      await service.until('the policy to be heard', async () => {
        const body = [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'app:v2' }];
        return apis.apps
          .patchNamespacedDeployment({ namespace: ruled.name, name: 'ruled', body, dryRun: 'All' })
          .then(() => null)
          .catch(() => true);
      });
      const id = await releases.start(spec('ruled', { workload: `${ruled.name}/ruled` }));
      const { status } = await service.reaches(id, 'rolled-back');
      expect(status.progress.because).toContain('CLUSTER_REFUSED');
      expect(JSON.stringify(status)).not.toContain('a secret');
      const after = await read('ruled', ruled);
      expect(after.spec).toEqual(before.spec);
      expect(JSON.stringify(after)).not.toContain('lakeshift');
    } finally {
      await policies.deleteValidatingAdmissionPolicyBinding({ name }).catch(() => undefined);
      await policies.deleteValidatingAdmissionPolicy({ name });
      await ruled.drop();
    }
  }, 120_000);

  test('whose namespace vanishes calls a person: there is nothing to go back to', async () => {
    const doomed = await elsewhere();
    await running('doomed', {}, doomed);
    const batches = { size: 1, pause: '1s' } as const;
    const { surge: _, unavailable: __, ...plain } = spec('doomed', { workload: `${doomed.name}/doomed` });
    const id = await releases.start({ ...plain, batches });
    await service.until('a new pod', async () =>
      ((await read('doomed', doomed)).status?.updatedReplicas ?? 0) > 0 ? true : null,
    );
    await doomed.drop();
    const { status } = await service.reaches(id, 'needs-attention');
    // its role goes with it, sooner or later than the workload
    expect(['TARGET_DRIFTED', 'RIGHTS_MISSING']).toContain(status.progress.parked?.code);
    expect(status.progress.direction).toBe('back');
  }, 120_000);

  test('has its image while it runs, whoever else manages the field, and puts it right again', async () => {
    await running('shared', { env: { READY_AFTER_MS: '1500' } });
    const apply = (image: string, force: boolean): Promise<V1Deployment> =>
      apis.apps.patchNamespacedDeployment(
        {
          namespace: namespace.name,
          name: 'shared',
          fieldManager: 'other',
          force,
          body: {
            apiVersion: 'apps/v1',
            kind: 'Deployment',
            spec: { template: { spec: { containers: [{ name: 'app', image }] } } },
          },
        },
        setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply),
      );
    await apply('app:v1', true);
    const id = await releases.start(spec('shared'));
    await service.until('our image', async () => (imageOf(await read('shared')) === 'app:v2' ? true : null));
    await expect(apply('app:v3', false)).rejects.toMatchObject({ code: 409 });
    expect((await service.order(id, 'pause')).status).toBe(200);
    await apply('app:v3', true);
    expect((await service.order(id, 'resume')).status).toBe(200);
    await service.reaches(id, 'deployed');
    expect(imageOf(await read('shared'))).toBe('app:v2');
  }, 120_000);

  test('goes on when the API server was away in the middle of it', async () => {
    await running('away', { env: { READY_AFTER_MS: '3000' } });
    const id = await releases.start(spec('away'));
    await service.until('a new pod', async () =>
      ((await read('away')).status?.updatedReplicas ?? 0) > 0 ? true : null,
    );
    await gate.shut();
    await new Promise((resolve) => setTimeout(resolve, awayMs));
    const { status } = await service.view(id);
    await gate.reopen();
    expect(['rolling', 'starting']).toContain(status.phase);
    await service.reaches(id, 'deployed');
    expect(imageOf(await read('away'))).toBe('app:v2');
  }, 120_000);
});
