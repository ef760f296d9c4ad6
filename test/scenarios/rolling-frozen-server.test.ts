import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RollingSpec } from '../../contracts/release-spec.ts';
import { kubeconfig, type ClusterAccess } from '../../tools/kubernetes/kubeconfig.ts';
import { apisOf } from '../support/kubernetes/cluster.ts';
import { deploymentOf } from '../support/kubernetes/deployment.ts';
import { offerKubernetes } from '../support/kubernetes/offer.ts';
import { ask } from '../support/on-demand.ts';
import { RealService } from '../support/real-service.ts';
import { required } from '../support/servers.ts';

const frozenMs = 10_000;
const lacking = await ask(required('LAKESHIFT_TEST_KUBERNETES'), 'lacking');

// on a control plane of its own: everybody else's would stand still with it
(lacking === '' ? describe : describe.skip)(`a cluster whose API server stands still ${lacking}`, () => {
  let folder: string;
  let offered: Awaited<ReturnType<typeof offerKubernetes>>;
  let access: ClusterAccess;
  let service: RealService;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lakeshift-test-frozen-'));
    offered = await offerKubernetes(folder, () => undefined);
    // test/support/kubernetes/offer.ts writes it
    access = JSON.parse(await ask(offered.address, 'cluster')) as ClusterAccess;
    service = await RealService.onCluster(kubeconfig(access));
  }, 240_000);
  afterAll(async () => {
    await service.stop();
    await offered.stop();
    await rm(folder, { recursive: true });
  }, 60_000);

  async function signal(name: NodeJS.Signals): Promise<void> {
    const records = await readdir(join(folder, 'processes'));
    const pid = records.map((file) => /^api server-(\d+)-/.exec(file)?.[1]).find((found) => found !== undefined);
    process.kill(Number(pid), name);
  }

  test('is waited for: the rollout goes on in the same way', async () => {
    const { apps } = apisOf(access);
    const namespace = 'default';
    const body = deploymentOf('frozen', { env: { READY_AFTER_MS: '2000' } });
    await apps.createNamespacedDeployment({ namespace, body });
    const read = () => apps.readNamespacedDeployment({ namespace, name: 'frozen' });
    await service.until('it to be ready', async () => ((await read()).status?.availableReplicas === 3 ? true : null));
    const spec: RollingSpec = {
      name: 'frozen',
      strategy: 'rolling',
      target: 'k8s',
      workload: 'default/frozen',
      images: { app: 'app:v2' },
      batches: { size: 1 },
      drain: '0s',
    };
    const { id } = (await service.deploy(spec, randomUUID())).status;
    await service.until('a new pod', async () => (((await read()).status?.updatedReplicas ?? 0) > 0 ? true : null));
    await signal('SIGSTOP');
    try {
      await sleep(frozenMs);
      expect((await service.view(id)).status.phase).toBe('rolling');
    } finally {
      await signal('SIGCONT');
    }
    await service.reaches(id, 'deployed');
    const after = await read();
    expect(after.spec?.template.spec?.containers[0]?.image).toBe('app:v2');
    expect(JSON.stringify(after)).not.toContain('lakeshift');
  }, 180_000);
});
