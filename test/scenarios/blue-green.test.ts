import { randomUUID } from 'node:crypto';
import type { V1Deployment } from '@kubernetes/client-node';
import type { BlueGreenSpec } from '../../contracts/release-spec.ts';
import { kubeconfig } from '../../tools/kubernetes/kubeconfig.ts';
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

describeOnKubernetes('a blue-green release', () => {
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

  const deployment = (name: string): Promise<V1Deployment> =>
    apis.apps.readNamespacedDeployment({ namespace: namespace.name, name });
  const chosen = async (name: string): Promise<string | undefined> =>
    (await apis.core.readNamespacedService({ namespace: namespace.name, name })).spec?.selector?.['app'];
  const podsOf = async (name: string): Promise<number | undefined> => (await deployment(name)).spec?.replicas;

  /** Two sides, of which blue serves. */
  async function sides(name: string): Promise<void> {
    for (const [side, replicas] of [
      ['blue', 3],
      ['green', 0],
    ] as const) {
      await apis.apps.createNamespacedDeployment({
        namespace: namespace.name,
        body: deploymentOf(`${name}-${side}`, { replicas }),
      });
    }
    const body = serviceOf(name);
    Object.assign(body.spec ?? {}, { selector: { app: `${name}-blue` } });
    await apis.core.createNamespacedService({ namespace: namespace.name, body });
    await service.until(`${name} to serve`, async () =>
      (await deployment(`${name}-blue`)).status?.availableReplicas === 3 ? true : null,
    );
  }
  const spec = (name: string, more: Partial<BlueGreenSpec> = {}): BlueGreenSpec => ({
    name,
    strategy: 'blue-green',
    target: 'k8s',
    service: `${namespace.name}/${name}`,
    slots: { label: 'app', blue: `${name}-blue`, green: `${name}-green` },
    images: { app: 'app:v2' },
    seen: false,
    watch: { for: '1s' },
    keepOld: '1h',
    drain: '1s',
    grace: '2s',
    ...more,
  });
  const start = async (wanted: BlueGreenSpec): Promise<string> =>
    (await service.deploy(wanted, randomUUID())).status.id;

  test('brings the idle side up, switches, keeps the old side and cleans up', async () => {
    await sides('plain');
    const id = await start(spec('plain'));
    await service.reaches(id, 'in-grace');
    expect([await chosen('plain'), await podsOf('plain-blue'), await podsOf('plain-green')]).toEqual([
      'plain-green',
      3,
      3,
    ]);
    expect((await service.order(id, 'skip', { planHash: (await service.view(id)).status.planHash })).status).toBe(200);
    await service.reaches(id, 'deployed');
    expect([await chosen('plain'), await podsOf('plain-blue'), await podsOf('plain-green')]).toEqual([
      'plain-green',
      0,
      3,
    ]);
    const left = JSON.stringify([
      await deployment('plain-blue'),
      await deployment('plain-green'),
      await apis.core.readNamespacedService({ namespace: namespace.name, name: 'plain' }),
    ]);
    expect(left).not.toContain('lakeshift');
  }, 90_000);

  test('goes back while the old side is kept, and everything is as before', async () => {
    await sides('back');
    const before = await deployment('back-green');
    const id = await start(spec('back'));
    await service.reaches(id, 'in-grace');
    expect((await service.order(id, 'rollback')).status).toBe(200);
    await service.until('the old side to be chosen', async () =>
      (await chosen('back')) === 'back-blue' ? true : null,
    );
    await service.reaches(id, 'rolled-back');
    expect((await deployment('back-green')).spec).toEqual(before.spec);
  }, 90_000);
});
