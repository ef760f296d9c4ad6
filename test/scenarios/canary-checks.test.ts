import type { CanarySpec, StepSpec } from '../../contracts/release-spec.ts';
import { describeOnKubernetes, type Apis, type TestNamespace } from '../support/kubernetes/cluster.ts';
import { configMapOf } from '../support/kubernetes/config-map.ts';
import { Releases } from '../support/kubernetes/releases.ts';
import { describeOnPrometheus, Exposition, TestPrometheus } from '../support/prometheus.ts';
import type { RealService } from '../support/real-service.ts';

const flags = { flags: { checkout: { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' } } };
const describeOnBoth = describeOnPrometheus === describe ? describeOnKubernetes : describe.skip;

describeOnBoth('a canary with checks', () => {
  const shop = new Exposition();
  let releases: Releases;
  let service: RealService;
  let namespace: TestNamespace;
  let apis: Apis;
  let prometheus: TestPrometheus;
  beforeAll(async () => {
    for (const name of ['requests_total', 'errors_total']) shop.add(name, 0);
    prometheus = await TestPrometheus.start(shop);
    releases = await Releases.open({ prometheus: prometheus.url });
    ({ service, namespace, apis } = releases);
  }, 60_000);
  afterAll(async () => {
    await releases.close();
    await prometheus.stop();
    shop.close();
  }, 60_000);

  /** What the candidate does from now on: this part of its requests fails. */
  const fails = (part: number): void => {
    shop.moves(() => {
      shop.add('requests_total', 20);
      shop.add('errors_total', 20 * part);
    });
  };
  const spec = (name: string, half: Partial<StepSpec>): CanarySpec => ({
    name,
    strategy: 'canary',
    target: 'k8s',
    workload: releases.at(name),
    route: { via: 'flag', key: 'flags.json', flag: 'checkout', stable: 'off', candidate: 'on' },
    seen: false,
    steps: [
      { weight: 5, for: '1s' },
      { weight: 50, for: '1s', ...half },
      { weight: 100, for: '1s' },
    ],
    checks: {
      metrics: 'shop',
      requests: 'sum(requests_total)',
      errors: { query: 'sum(errors_total)', max: '1%' },
      window: '1s',
      fail: '2 of 4',
      atLeast: 20,
      blindFor: '10s',
    },
    every: '1s',
  });
  async function start(wanted: CanarySpec): Promise<string> {
    const body = configMapOf(wanted.name, { 'flags.json': JSON.stringify(flags) });
    await apis.core.createNamespacedConfigMap({ namespace: namespace.name, body });
    return releases.start(wanted);
  }
  const flagOf = async (name: string): Promise<Record<string, unknown>> => {
    const { data } = await apis.core.readNamespacedConfigMap({ namespace: namespace.name, name });
    return (JSON.parse(data?.['flags.json'] ?? '') as typeof flags).flags.checkout; // written by the test, and by what it tests
  };
  const weighted = (weight: number) => ({
    targeting: {
      fractional: [
        ['on', weight],
        ['off', 100 - weight],
      ],
    },
  });
  const halfway = (id: string) => releases.reaches(id, 'weight-50');
  const parked = async (id: string): Promise<unknown> =>
    (await service.reaches(id, 'needs-attention')).status.progress.parked;
  const held = {
    code: 'GATE_HELD',
    detail: expect.stringMatching(
      /^errors \d+\.\d\d %, above 1\.00 % in 2 of the last \d windows(; back to 5 %)?$/,
    ) as string,
  };

  test('goes to everybody when it is good', async () => {
    fails(0);
    const id = await start(spec('good', {}));
    await service.reaches(id, 'deployed');
    expect(await flagOf('good')).toEqual({ ...flags.flags.checkout, defaultVariant: 'on' });
  }, 90_000);

  test('goes home by itself when it fails at 50 %', async () => {
    fails(0);
    const id = await start(spec('home', { for: '1h', onFail: 'rollback' }));
    await halfway(id);
    fails(0.05);
    await service.reaches(id, 'rolled-back');
    expect(await flagOf('home')).toEqual(flags.flags.checkout);
  }, 90_000);

  test('goes back to 5 % and waits for a person, who has the step begin anew', async () => {
    fails(0);
    const id = await start(spec('less', { for: '3s', onFail: 5 }));
    await halfway(id);
    fails(0.05);
    expect(await parked(id)).toEqual(held);
    expect(await flagOf('less')).toMatchObject(weighted(5));
    fails(0);
    await releases.order(id, 'retry');
    await halfway(id);
    expect(await flagOf('less')).toMatchObject(weighted(50));
    await service.reaches(id, 'deployed');
  }, 90_000);

  test('stays where it is when it is told to hold, and goes back when a person says so', async () => {
    fails(0);
    const id = await start(spec('stay', { for: '1h', onFail: 'hold' }));
    await halfway(id);
    fails(0.05);
    expect(await parked(id)).toEqual(held);
    expect(await flagOf('stay')).toMatchObject(weighted(50));
    await releases.order(id, 'rollback');
    await service.reaches(id, 'rolled-back');
    expect(await flagOf('stay')).toEqual(flags.flags.checkout);
  }, 90_000);

  test('goes no further without traffic, and a person is called', async () => {
    fails(0);
    const id = await start(spec('idle', { for: '3s' }));
    await halfway(id);
    shop.moves(null);
    expect(await parked(id)).toEqual({ code: 'GATE_HELD', detail: '0 requests in the last window, fewer than 20' });
    expect(await flagOf('idle')).toMatchObject(weighted(50));
    await releases.order(id, 'abort');
    await service.reaches(id, 'rolled-back');
  }, 90_000);

  test('goes no further while nobody can see, a person is called, and then it goes on', async () => {
    fails(0);
    const id = await start(spec('blind', { for: '5s' }));
    await halfway(id);
    await prometheus.down();
    const blind = await service.until('the status to say so', async () => {
      return (await service.view(id)).status.progress.traffic?.blind ?? null;
    });
    expect(blind.because).toBe('shop: it can not be reached');
    expect(await parked(id)).toEqual({ code: 'METRICS_BLIND', detail: 'shop: it can not be reached' });
    expect(await flagOf('blind')).toMatchObject(weighted(50));
    await prometheus.up();
    await releases.order(id, 'retry');
    await service.reaches(id, 'deployed');
  }, 120_000);
});
