import { randomUUID } from 'node:crypto';
import type { CanarySpec, StepSpec } from '../../contracts/release-spec.ts';
import { kubeconfig } from '../../tools/kubernetes/kubeconfig.ts';
import { apisOf, describeOnKubernetes, freshNamespace, type TestNamespace } from '../support/kubernetes/cluster.ts';
import { configMapOf } from '../support/kubernetes/config-map.ts';
import { rights } from '../support/kubernetes/rights.ts';
import { describeOnPrometheus, Exposition, TestPrometheus } from '../support/prometheus.ts';
import { RealService } from '../support/real-service.ts';

const flags = { flags: { checkout: { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' } } };
const describeOnBoth = describeOnPrometheus === describe ? describeOnKubernetes : describe.skip;

describeOnBoth('a canary with checks', () => {
  const shop = new Exposition();
  let service: RealService;
  let namespace: TestNamespace;
  let prometheus: TestPrometheus;
  beforeAll(async () => {
    for (const name of ['requests_total', 'errors_total']) shop.add(name, 0);
    prometheus = await TestPrometheus.start(shop);
    namespace = await freshNamespace();
    await namespace.allow(...rights);
    service = await RealService.onCluster(kubeconfig(namespace.guest, 'lakeshift'), { prometheus: prometheus.url });
  }, 60_000);
  afterAll(async () => {
    await service.stop();
    await namespace.drop();
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
    workload: `${namespace.name}/${name}`,
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
    await apisOf(namespace.admin).core.createNamespacedConfigMap({ namespace: namespace.name, body });
    return (await service.deploy(wanted, randomUUID())).status.id;
  }
  const flagOf = async (name: string): Promise<Record<string, unknown>> => {
    const { data } = await apisOf(namespace.admin).core.readNamespacedConfigMap({ namespace: namespace.name, name });
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
  const halfway = (id: string): Promise<true> =>
    service.until('half of them', async () => {
      const { stage, phase } = (await service.view(id)).status;
      return stage === 'weight-50' && phase === 'watching' ? true : null;
    });
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
    expect((await service.order(id, 'retry')).status).toBe(200);
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
    expect((await service.order(id, 'rollback')).status).toBe(200);
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
    expect((await service.order(id, 'abort')).status).toBe(200);
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
    expect((await service.order(id, 'retry')).status).toBe(200);
    await service.reaches(id, 'deployed');
  }, 120_000);
});
