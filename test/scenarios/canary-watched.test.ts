import { setTimeout as sleep } from 'node:timers/promises';
import type { V1ConfigMap } from '@kubernetes/client-node';
import type { CanarySpec } from '../../contracts/release-spec.ts';
import { ApiProxy } from '../support/kubernetes/api-proxy.ts';
import { describeOnKubernetes, type Apis, type TestNamespace } from '../support/kubernetes/cluster.ts';
import { Releases } from '../support/kubernetes/releases.ts';
import type { RealService } from '../support/real-service.ts';

const flag = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' };
const flags = JSON.stringify({ flags: { checkout: flag } });
const byHand = JSON.stringify({ flags: { checkout: { ...flag, defaultVariant: 'on' } } });
/** Looks are a second apart. */
const manyLooksMs = 60_000;
const awayMs = 10_000;
/** Of a stage in an hour, besides its writes. */
const mostCalls = 10;

describeOnKubernetes('a canary that waits', () => {
  let releases: Releases;
  let service: RealService;
  let proxy: ApiProxy;
  let namespace: TestNamespace;
  let apis: Apis;
  beforeAll(async () => {
    releases = await Releases.prepare();
    proxy = await ApiProxy.to(releases.namespace.guest);
    await releases.serve({ kubeconfig: proxy.kubeconfig });
    ({ service, namespace, apis } = releases);
  }, 60_000);
  afterAll(async () => {
    await releases.close();
    await proxy.shut();
  }, 60_000);

  const spec = (name: string): CanarySpec => ({
    name,
    strategy: 'canary',
    target: 'k8s',
    workload: releases.at(name),
    route: { via: 'flag', key: 'flags.json', flag: 'checkout', stable: 'off', candidate: 'on' },
    seen: false,
    steps: [
      { weight: 50, for: '1h' },
      { weight: 100, for: '1s' },
    ],
    every: '1s',
  });

  /** One that has everything behind it but its looks. */
  async function waiting(name: string): Promise<string> {
    const body: V1ConfigMap = { metadata: { name }, data: { 'flags.json': flags } };
    await apis.core.createNamespacedConfigMap({ namespace: namespace.name, body });
    const id = await releases.start(spec(name));
    await releases.reaches(id, 'weight-50');
    await looks(id, 2);
    return id;
  }

  /** Waits for that many more looks. */
  async function looks(id: string, more: number): Promise<void> {
    let last = await lookedAt(id);
    for (let seen = 0; seen < more; seen++)
      last = await service.until('another look', async () => {
        const at = await lookedAt(id);
        return at > last ? at : null;
      });
  }
  const watches = (): string[] => proxy.asked.filter((one) => one.startsWith('WATCH'));
  const lookedAt = async (id: string): Promise<number> =>
    (await service.view(id)).status.progress.traffic?.lookedAt ?? 0;

  async function repairs(name: string, id: string): Promise<void> {
    await apis.core.patchNamespacedConfigMap({
      namespace: namespace.name,
      name,
      body: [{ op: 'replace', path: '/data/flags.json', value: byHand }],
    });
    await service.until('the share of the plan', async () => {
      const { data } = await apis.core.readNamespacedConfigMap({ namespace: namespace.name, name });
      return data?.['flags.json']?.includes('fractional') === true ? true : null;
    });
    await looks(id, 1);
  }

  test('asks next to nothing in a minute of looks, shares its watch with another one, and still sees a hand edit', async () => {
    proxy.asked = [];
    const first = await waiting('first');
    const second = await waiting('second');
    expect(watches()).toHaveLength(1);
    proxy.asked = [];
    const until = Date.now() + manyLooksMs;
    let count = 0;
    for (; Date.now() < until; count++) await looks(second, 1);
    expect(count).toBeGreaterThan(30);
    expect(proxy.asked.length).toBeLessThanOrEqual(mostCalls);
    await repairs('first', first);
    // the look that finds it reads once more, and the repair before and after its write
    expect(proxy.reads.length).toBeLessThanOrEqual(mostCalls);
    for (const id of [first, second]) await releases.order(id, 'abort');
    for (const id of [first, second]) await service.reaches(id, 'rolled-back');
  }, 240_000);

  test('goes on when its watch is cut, and when the API server is away', async () => {
    const id = await waiting('cut');
    proxy.cut();
    await looks(id, 3);
    proxy.asked = [];
    await repairs('cut', id);
    await proxy.shut();
    await sleep(awayMs);
    expect((await service.view(id)).status.phase).toBe('watching');
    await proxy.reopen();
    await looks(id, 5);
    await repairs('cut', id);
    proxy.asked = [];
    await service.until('looks that need no request', async () => {
      proxy.asked = [];
      await looks(id, 5);
      return proxy.asked.length === 0 ? true : null;
    });
    expect((await service.view(id)).status.phase).toBe('watching');
    await releases.order(id, 'abort');
    await service.reaches(id, 'rolled-back');
  }, 240_000);

  test('does not keep its worker when that is asked to end', async () => {
    await waiting('ended');
    const pid = service.workerPid;
    process.kill(pid, 'SIGTERM');
    // a watch alone would go on for more than half an hour
    await service.until('the end of the worker', () => Promise.resolve(isRunning(pid) ? null : true));
  }, 120_000);
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
