import type { RollingSpec } from '../../contracts/release-spec.ts';
import { describeOnKubernetes, type Apis, type TestNamespace } from '../support/kubernetes/cluster.ts';
import { deploymentOf } from '../support/kubernetes/deployment.ts';
import { Releases } from '../support/kubernetes/releases.ts';
import type { RealService } from '../support/real-service.ts';

describeOnKubernetes('a rolling release of a Deployment in batches', () => {
  let releases: Releases;
  let service: RealService;
  let namespace: TestNamespace;
  let apis: Apis;
  beforeAll(async () => {
    releases = await Releases.open();
    ({ service, namespace, apis } = releases);
  }, 60_000);
  afterAll(() => releases.close(), 60_000);

  /** How many pods there are of each image; those that are ending are no more. */
  async function pods(name: string): Promise<Readonly<Record<string, number>>> {
    const counts: Record<string, number> = {};
    for (const { metadata, spec } of await releases.podsOf(name)) {
      const image = spec?.containers[0]?.image ?? '';
      if (metadata?.deletionTimestamp === undefined) counts[image] = (counts[image] ?? 0) + 1;
    }
    return counts;
  }

  const spec = (name: string, more: Partial<RollingSpec> = {}): RollingSpec => ({
    name,
    strategy: 'rolling',
    target: 'k8s',
    workload: releases.at(name),
    images: { app: 'app:v2' },
    grace: '2s',
    drain: '0s',
    ...more,
  });

  test('has exactly its pods new after each, however soon these are ready, and never fewer than wanted ready', async () => {
    await releases.running('plain', { replicas: 5 });
    let [least, most] = [5, 0];
    const stop = new AbortController();
    const watching = (async () => {
      while (!stop.signal.aborted) {
        const { status } = await releases.deployment('plain');
        least = Math.min(least, status?.readyReplicas ?? 0);
        most = Math.max(most, status?.replicas ?? 0);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    const id = await releases.start(spec('plain', { batches: { size: 2, pause: '1h' } }));
    await releases.reaches(id, 'pause-1', 'in-grace');
    expect(await pods('plain')).toEqual({ 'app:v1': 5, 'app:v2': 2 });
    await releases.skip(id);
    await releases.reaches(id, 'pause-2', 'in-grace');
    expect(await pods('plain')).toEqual({ 'app:v1': 3, 'app:v2': 4 });
    await releases.skip(id);
    await service.reaches(id, 'deployed');
    stop.abort();
    await watching;
    expect([await pods('plain'), least, most]).toEqual([{ 'app:v2': 5 }, 5, 7]);
    const after = await releases.deployment('plain');
    expect(JSON.stringify(after)).not.toContain('lakeshift');
    expect([after.spec?.minReadySeconds ?? 0, after.spec?.progressDeadlineSeconds]).toEqual([0, 600]);
  }, 120_000);

  test('goes back from the middle of it, and everything is as before', async () => {
    const before = await releases.running('back', { replicas: 4 });
    const id = await releases.start(spec('back', { batches: { size: '25%', pause: '1h' } }));
    await releases.reaches(id, 'pause-1', 'in-grace');
    await releases.skip(id);
    await releases.reaches(id, 'pause-2', 'in-grace');
    expect((await service.order(id, 'rollback')).status).toBe(200);
    await service.reaches(id, 'rolled-back');
    const after = await releases.deployment('back');
    expect([after.spec, await pods('back')]).toEqual([before.spec, { 'app:v1': 4 }]);
    expect(JSON.stringify(after)).not.toContain('lakeshift');
  }, 120_000);

  test('of pods that never become ready goes back after the first batch, with every old pod serving', async () => {
    await releases.running('stuck', { replicas: 4 });
    const id = await releases.start(
      spec('stuck', { images: { app: 'missing/app:v2' }, batches: { size: 1 }, deadline: '3s' }),
    );
    const { status } = await service.reaches(id, 'rolled-back');
    expect(status.progress.because).toContain('ROLLOUT_STUCK');
    expect([await pods('stuck'), (await releases.deployment('stuck')).status?.readyReplicas]).toEqual([
      { 'app:v1': 4 },
      4,
    ]);
  }, 120_000);

  test('goes on from where it was paused, though somebody has changed its image and its bounds meanwhile', async () => {
    await releases.running('edited', { replicas: 3, env: { READY_AFTER_MS: '1500' } });
    const id = await releases.start(spec('edited', { batches: { size: 1, pause: '1s' } }));
    await service.reaches(id, 'rolling');
    expect((await service.order(id, 'pause')).status).toBe(200);
    await apis.apps.patchNamespacedDeployment({
      namespace: namespace.name,
      name: 'edited',
      body: [
        { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'app:v1' },
        { op: 'replace', path: '/spec/strategy/rollingUpdate/maxUnavailable', value: 0 },
      ],
    });
    expect((await service.order(id, 'resume')).status).toBe(200);
    await service.reaches(id, 'deployed');
    expect(await pods('edited')).toEqual({ 'app:v2': 3 });
  }, 120_000);

  test('is refused when it would be more batches than a plan can show', async () => {
    await apis.apps.createNamespacedDeployment({
      namespace: namespace.name,
      body: deploymentOf('many', { replicas: 51, pod: { nodeName: 'nowhere' } }),
    });
    const { status, body } = await service.post('/v1/plans', spec('many', { batches: { size: 1 } }));
    expect([status, JSON.stringify(body)]).toEqual([422, expect.stringContaining('are 51 batches: at most 50')]);
    await apis.apps.deleteNamespacedDeployment({ namespace: namespace.name, name: 'many' });
  }, 60_000);
});
