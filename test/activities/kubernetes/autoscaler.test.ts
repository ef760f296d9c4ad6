import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AutoscalingV2Api } from '@kubernetes/client-node';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import {
  createClusterActivities,
  createClusters,
  type ClusterActivities,
} from '../../../activities/kubernetes/index.ts';
import type { HeldAutoscaler } from '../../../contracts/workload.ts';
import { kubeconfig } from '../../../tools/kubernetes/kubeconfig.ts';
import { autoscalerOf, slowly } from '../../support/kubernetes/autoscaler.ts';
import {
  configOf,
  describeOnKubernetes,
  freshNamespace,
  type TestNamespace,
} from '../../support/kubernetes/cluster.ts';
import { rights } from '../../support/kubernetes/rights.ts';

describeOnKubernetes('an autoscaler that is kept from scaling down', () => {
  let namespace: TestNamespace;
  let folder: string;
  let autoscaling: AutoscalingV2Api;
  let activities: ClusterActivities;
  beforeAll(async () => {
    namespace = await freshNamespace();
    await namespace.allow(...rights);
    autoscaling = configOf(namespace.admin).makeApiClient(AutoscalingV2Api);
    folder = await mkdtemp(join(tmpdir(), 'lakeshift-autoscaler-'));
    const file = join(folder, 'kubeconfig');
    await writeFile(file, kubeconfig(namespace.guest, 'lakeshift'), { mode: 0o600 });
    activities = createClusterActivities(
      createClusters({
        cluster: (name) => ({ name, kubeconfig: file, context: null }),
        closing: new AbortController().signal,
      }),
    );
  });
  afterAll(async () => {
    await namespace.drop();
    await rm(folder, { recursive: true });
  });

  let turn = 0;
  const site = (inTurn = ++turn) => ({ deployment: 'release-1', target: 'k8s', homeSchema: '', turn: inTurn });
  const run = <T>(work: () => Promise<T>): Promise<T> =>
    new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run<[], T, () => Promise<T>>(work);
  const read = (name: string) => autoscaling.readNamespacedHorizontalPodAutoscaler({ namespace: namespace.name, name });

  async function claimed(name: string, thoughtAbout: boolean): Promise<HeldAutoscaler> {
    const made = await autoscaling.createNamespacedHorizontalPodAutoscaler({
      namespace: namespace.name,
      body: autoscalerOf(name, thoughtAbout ? slowly : undefined),
    });
    const autoscaler: HeldAutoscaler = {
      kind: 'HorizontalPodAutoscaler',
      namespace: namespace.name,
      name,
      uid: made.metadata?.uid ?? '',
      before: made.spec.behavior?.scaleDown?.selectPolicy ?? null,
    };
    await run(() => activities.claimObjects(site(), [autoscaler]));
    return autoscaler;
  }

  test.each([
    ['says nothing of how it scales', 'silent', false],
    ['says how it scales', 'thoughtful', true],
  ] as const)(
    'that %s is as before after there and back, twice over, each delivered twice',
    async (_, name, says) => {
      const autoscaler = await claimed(name, says);
      const { spec } = await read(name);
      for (let round = 1; round <= 2; round++) {
        for (const held of [true, false]) {
          const now = site();
          for (let copy = 1; copy <= 2; copy++) await run(() => activities.setScaling({ site: now, autoscaler, held }));
          const policy = (await read(name)).spec.behavior?.scaleDown?.selectPolicy;
          expect(policy === 'Disabled').toBe(held);
        }
        expect((await read(name)).spec).toEqual(spec);
      }
      await run(() => activities.releaseObjects(site(), [autoscaler]));
      expect(JSON.stringify(await read(name))).not.toContain('lakeshift');
    },
    60_000,
  );

  test('is not held again by a copy that wakes up after it was let go', async () => {
    const autoscaler = await claimed('late', true);
    const early = site();
    await run(() => activities.raiseFences(site(), [autoscaler]));
    await expect(run(() => activities.setScaling({ site: early, autoscaler, held: true }))).rejects.toMatchObject({
      type: 'FENCED',
    });
    await run(() => activities.releaseObjects(site(), [autoscaler]));
    await expect(run(() => activities.setScaling({ site: site(), autoscaler, held: true }))).rejects.toMatchObject({
      type: 'CLAIM_GONE',
    });
  }, 60_000);
});
