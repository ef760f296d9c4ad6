import type { CanarySpec } from '../../contracts/release-spec.ts';
import { startHaproxy, type HaproxyPlane } from '../support/data-planes/haproxy.ts';
import { firstStartMs, planes } from '../support/data-planes/planes.ts';
import { sendRequests, type Requests } from '../support/data-planes/requests.ts';
import { startTraefik, type TraefikPlane } from '../support/data-planes/traefik.ts';
import { nothingLost, underLoad } from '../support/data-planes/under-load.ts';
import { exampleWith } from '../support/example.ts';
import { describeOnKubernetes } from '../support/kubernetes/cluster.ts';
import { PodMetrics } from '../support/kubernetes/pod-metrics.ts';
import { draining, Releases } from '../support/kubernetes/releases.ts';
import { otherClock } from '../support/other-clock.ts';
import { describeOnPrometheus, TestPrometheus } from '../support/prometheus.ts';

const noPrometheus = describeOnPrometheus === describe ? '' : 'no Prometheus';
const lacking = [noPrometheus, ...planes.map((plane) => plane.lacking)].filter((why) => why !== '').join('; ');
const describeWithAll = lacking === '' ? describeOnKubernetes : describe.skip;
const tenMinutesMs = 600_000;
/** What a request that was under way already may have been sent before. */
const underWayMs = 500;
const perSecond = 300;

describeWithAll(`a canary${lacking && ` (${lacking})`}`, () => {
  let releases: Releases;
  let metrics: PodMetrics;
  let prometheus: TestPrometheus;
  let plane: TraefikPlane;
  let aside: HaproxyPlane;
  /** One whose thirty looks take long: the others are told meanwhile. */
  let deaf: { readonly id: string; readonly requests: Requests };

  beforeAll(async () => {
    releases = await Releases.prepare();
    const { namespace } = releases;
    await Promise.all(['checkout', 'aside'].map((name) => releases.serving(name, draining({ replicas: 4 }))));
    metrics = new PodMetrics(namespace);
    [prometheus, plane, aside] = await Promise.all([
      TestPrometheus.start(metrics, '500ms'),
      startTraefik(namespace, { stable: 'checkout' }),
      startHaproxy(namespace, { stable: 'aside', candidate: 'aside-candidate' }),
    ]);
    const routers = { edge: { kind: 'haproxy', address: aside.runtime } };
    await releases.serve({ prometheus: prometheus.url, routers });
    deaf = { requests: await sendRequests({ url: aside.url, connections: 8, perSecond: 50 }), id: await startDeaf() };
  }, firstStartMs);
  afterAll(async () => {
    await deaf.requests.end();
    await Promise.all([plane.stop(), aside.stop()]);
    await releases.close();
    await prometheus.stop();
    metrics.close();
  }, 60_000);

  const spec = (version: number, more: Partial<CanarySpec>): CanarySpec => ({
    name: `checkout-${version}`,
    strategy: 'canary',
    target: 'k8s',
    workload: releases.at('checkout'),
    images: { app: `app:v${version}` },
    service: 'checkout',
    route: { via: 'gateway-api', name: plane.route },
    seen: { url: plane.url, json: '/version', candidate: `v${version}`, requests: 100 },
    every: '1s',
    drain: '3s',
    grace: '10s',
    ...more,
  });
  const startDeaf = (): Promise<string> =>
    releases.start(
      spec(9, {
        name: 'deaf',
        workload: releases.at('aside'),
        images: { app: 'deaf/app:v9' },
        service: 'aside',
        route: { via: 'haproxy', router: 'edge', backend: 'split', stable: 'stable', candidate: 'candidate' },
        seen: { url: aside.url, json: '/version', candidate: 'v9', requests: 100 },
        steps: [{ weight: 25, for: '1h' }, { weight: 100 }],
      }),
    );
  const atHalf = [
    { weight: 50, for: '1h' },
    { weight: 100, for: '1s' },
  ] as const;
  const because = async (id: string): Promise<string | null> =>
    (await releases.service.view(id)).status.progress.because;
  async function withClock(aheadMs: number): Promise<void> {
    await releases.service.killWorker();
    await releases.service.startWorker(aheadMs === 0 ? {} : otherClock(aheadMs));
  }

  test('whose pods die at 50 % goes home by itself, and only what was sent to them is lost', async () => {
    let [died, home, answered] = [0, 0, 0];
    const counts = await underLoad(plane.url, perSecond, async (requests) => {
      const id = await releases.start(spec(2, { steps: [{ weight: 5, for: '1s' }, ...atHalf] }));
      await releases.reaches(id, 'weight-50');
      died = Date.now();
      const pods = await releases.podsOf('checkout-candidate');
      await Promise.all(pods.map(({ status }) => fetch(`http://${status?.podIP}:8080/crash`).catch(() => undefined)));
      await releases.service.reaches(id, 'rolled-back');
      home = Date.now();
      answered = (await requests.between(died, home)).byVersion['v1'] ?? 0;
      expect(await because(id)).toBe('weight-50 failed: ROLLOUT_STUCK weight-50: no pod that gets it is ready');
    });
    const failed = Object.values(counts.failed).reduce((sum, count) => sum + count, counts.lost);
    expect(failed).toBeGreaterThan(0);
    expect(failed).toBeLessThan(answered);
    expect(counts.trouble?.first).toBeGreaterThan(died - underWayMs);
    expect(counts.trouble?.last).toBeLessThan(home);
    expect(await releases.imageOf('checkout')).toBe('app:v1');
  }, 120_000);

  test('holds while Prometheus is away, calls a person, and goes on when it is back: the example of an API', async () => {
    await withClock(tenMinutesMs);
    const example = await exampleWith<CanarySpec>('07-canary-of-an-api.yaml', {
      'k8s-data': 'k8s',
      'shop/checkout': releases.at('checkout'),
      'registry.example/checkout:4.2': 'app:4.2',
      checkout: plane.route,
      'http://checkout.shop.example/version': plane.url,
      'shop-prometheus': 'shop',
      // of a whole minute, and a busy machine is slow now and then: that it counts is the next test's
      '300ms': '2s',
      '10m': '1s',
      '1h': '1s',
      '4h': '5s',
      '30m': '1s',
    });
    const { checks } = example;
    const counts = await underLoad(plane.url, perSecond, async () => {
      const id = await releases.start({
        ...example,
        service: 'checkout',
        ...(checks === undefined ? {} : { checks: { ...checks, window: '2s', atLeast: 5, blindFor: '10s' } }),
        every: '1s',
        drain: '3s',
        grace: '10s',
      });
      await releases.reaches(id, 'weight-5');
      const chosen = await fetch(plane.url, { headers: { 'x-canary': 'always' } });
      expect(chosen.headers.get('x-version')).toBe('4.2');
      await releases.reaches(id, 'weight-50');
      await prometheus.down();
      const { status } = await releases.service.reaches(id, 'needs-attention');
      expect([status.stage, status.progress.traffic?.weight, status.progress.parked]).toEqual([
        'weight-50',
        50,
        { code: 'METRICS_BLIND', detail: 'shop: it can not be reached' },
      ]);
      await prometheus.up();
      await releases.order(id, 'retry');
      await releases.service.reaches(id, 'waiting-for-approval');
      await releases.service.approve(id, 'owners');
      await releases.service.reaches(id, 'deployed');
    });
    expect(counts).toMatchObject({ ...nothingLost, answered: counts.sent });
    expect(await releases.imageOf('checkout')).toBe('app:4.2');
  }, 180_000);

  test('that answers slowly goes home by its p99, also by the clock of a worker that is ten minutes behind', async () => {
    await withClock(-tenMinutesMs);
    const checks = {
      metrics: 'shop',
      requests: 'sum(http_requests_total{pod=~"checkout-candidate-.*"})',
      p99: {
        query:
          'histogram_quantile(0.99, sum(rate(http_request_duration_seconds_bucket{pod=~"checkout-candidate-.*"}[2s])) by (le))',
        max: '200ms',
      },
      window: '1s',
      fail: '2 of 4',
      atLeast: 10,
    } as const;
    const counts = await underLoad(plane.url, perSecond, async () => {
      const id = await releases.start(spec(3, { images: { app: 'slow/app:v3' }, steps: atHalf, checks }));
      await releases.service.reaches(id, 'rolled-back');
      expect(await because(id)).toMatch(/^p99 \d+\.\d ms, above 200\.0 ms in 2 of the last \d windows$/);
    });
    expect(counts).toMatchObject({ ...nothingLost, answered: counts.sent });
    expect(counts.byVersion['v3']).toBeGreaterThan(0);
  }, 120_000);

  test('goes through to its end though its worker is killed again and again, and no request is lost', async () => {
    await withClock(0);
    const seed = Date.now() % 1_000_000;
    const counts = await underLoad(plane.url, perSecond, async () => {
      const steps = [5, 25, 50, 100].map((weight) => ({ weight, for: '2s' }) as const);
      const id = await releases.start(spec(5, { steps }));
      for (const waitMs of moments(seed, 4)) {
        await new Promise((resolve) => setTimeout(resolve, waitMs));
        await releases.service.killWorker();
        await releases.service.startWorker();
      }
      const { status } = await releases.service.reaches(id, 'deployed', 'rolled-back', 'needs-attention');
      expect([seed, status.phase, status.progress.parked]).toEqual([seed, 'deployed', null]);
    });
    expect([seed, counts]).toMatchObject([seed, { ...nothingLost, answered: counts.sent }]);
    expect(await releases.imageOf('checkout')).toBe('app:v5');
    await releases.gone('checkout-candidate');
  }, 180_000);

  test('that is ready but refuses connections is seen in the traffic: a person is called, and the share was all it cost', async () => {
    const { id, requests } = deaf;
    const { status } = await releases.service.reaches(id, 'needs-attention');
    expect(status.progress.parked?.code).toBe('TRAFFIC_ELSEWHERE');
    expect(status.progress.parked?.detail).toMatch(
      /^0 of \d+ requests were answered by the candidate, \d+ by nobody known/,
    );
    await releases.order(id, 'rollback');
    await releases.service.reaches(id, 'rolled-back');
    const home = Date.now();
    const counts = await requests.stop();
    const failed = Object.values(counts.failed).reduce((sum, count) => sum + count, counts.lost);
    expect(counts.trouble?.last).toBeLessThan(home);
    expect(failed).toBeGreaterThan(0);
    expect(failed).toBeLessThan(0.3 * counts.sent);
    expect(Object.keys(counts.byVersion)).toEqual(['v1']);
  }, 120_000);
});

/** So many waits of one to four seconds; by their seed they can be had again. */
function moments(seed: number, count: number): readonly number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (state * 16_807 + 12_345) % 2_147_483_647;
    return 1_000 + (state % 3_000);
  });
}
