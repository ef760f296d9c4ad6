import { setTimeout as sleep } from 'node:timers/promises';
import type { V1ConfigMap } from '@kubernetes/client-node';
import type { CanarySpec } from '../../contracts/release-spec.ts';
import { exampleWith } from '../support/example.ts';
import { describeOnKubernetes, type Apis, type TestNamespace } from '../support/kubernetes/cluster.ts';
import { Releases } from '../support/kubernetes/releases.ts';
import type { RealService } from '../support/real-service.ts';

const flags = {
  flags: {
    'new-checkout': { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' },
    other: { state: 'ENABLED', variants: { on: true }, defaultVariant: 'on' },
  },
};

describeOnKubernetes('a canary by a flag', () => {
  let releases: Releases;
  let service: RealService;
  let namespace: TestNamespace;
  let apis: Apis;
  beforeAll(async () => {
    releases = await Releases.open();
    ({ service, namespace, apis } = releases);
  }, 60_000);
  afterAll(() => releases.close(), 60_000);

  const flagsIn = async (name: string): Promise<typeof flags> => {
    const { data } = await apis.core.readNamespacedConfigMap({ namespace: namespace.name, name });
    return JSON.parse(data?.['flags.json'] ?? '') as typeof flags; // written by the test, and by what it tests
  };
  async function made(name: string): Promise<void> {
    const body: V1ConfigMap = { metadata: { name }, data: { 'flags.json': JSON.stringify(flags) } };
    await apis.core.createNamespacedConfigMap({ namespace: namespace.name, body });
  }
  const shared = (weight: number) => ({
    targeting: {
      fractional: [
        ['on', weight],
        ['off', 100 - weight],
      ],
    },
  });
  /** Somebody switches it on for everybody. */
  async function writtenByHand(name: string): Promise<void> {
    const hand = { ...flags.flags['new-checkout'], defaultVariant: 'on' };
    const value = JSON.stringify({ flags: { ...flags.flags, 'new-checkout': hand } });
    const body = [{ op: 'replace', path: '/data/flags.json', value }];
    await apis.core.patchNamespacedConfigMap({ namespace: namespace.name, name, body });
  }
  const spec = (name: string, more: Partial<CanarySpec> = {}): CanarySpec => ({
    name,
    strategy: 'canary',
    target: 'k8s',
    workload: `${namespace.name}/${name}`,
    route: { via: 'flag', key: 'flags.json', flag: 'new-checkout', stable: 'off', candidate: 'on' },
    seen: false,
    steps: [
      { weight: 5, for: '1s' },
      { weight: 50, for: '1h' },
      { weight: 100, for: '1s' },
    ],
    every: '1s',
    ...more,
  });
  test('gives the candidate a growing share of the users, and everybody at the end: the example', async () => {
    await made('flags');
    const example = await exampleWith<CanarySpec>('08-canary-by-a-flag.yaml', {
      'k8s-data': 'k8s',
      'shop/flags': releases.at('flags'),
      '1d': '1s',
      '2d': '1h',
    });
    const id = await releases.start({ ...example, every: '1s' });
    const { status } = await service.reaches(id, 'waiting-for-approval');
    expect(status.stage).toBe('weight-50');
    expect((await flagsIn('flags')).flags['new-checkout']).toMatchObject(shared(10));
    await service.approve(id, 'product');
    await releases.reaches(id, 'weight-50');
    const half = await flagsIn('flags');
    expect(half.flags['new-checkout']).toMatchObject({ defaultVariant: 'off', ...shared(50) });
    expect(half.flags.other).toEqual(flags.flags.other);
    await releases.skip(id, 'product');
    await service.reaches(id, 'deployed');
    expect((await flagsIn('flags')).flags['new-checkout']).toEqual({
      ...flags.flags['new-checkout'],
      defaultVariant: 'on',
    });
    const left = await apis.core.readNamespacedConfigMap({ namespace: namespace.name, name: 'flags' });
    expect(JSON.stringify(left)).not.toContain('lakeshift');
  }, 60_000);

  test('puts a hand edit right on its next look, and goes home when it is told to', async () => {
    await made('edited');
    const id = await releases.start(spec('edited'));
    await releases.reaches(id, 'weight-50');
    await writtenByHand('edited');
    await service.until('the share of the plan', async () => {
      const { 'new-checkout': flag } = (await flagsIn('edited')).flags;
      return 'targeting' in flag ? true : null;
    });
    await releases.order(id, 'abort');
    await service.reaches(id, 'rolled-back');
    expect(await flagsIn('edited')).toEqual(flags);
  }, 60_000);

  test('calls a person when another controller writes its own word again and again, and goes home when that is told', async () => {
    await made('contended');
    const id = await releases.start(spec('contended'));
    await releases.reaches(id, 'weight-50');
    const stop = new AbortController();
    const rival = (async () => {
      while (!stop.signal.aborted) {
        if ('targeting' in (await flagsIn('contended')).flags['new-checkout']) await writtenByHand('contended');
        await sleep(100);
      }
    })();
    const { status } = await service.reaches(id, 'needs-attention');
    expect([status.progress.parked?.code, status.progress.traffic?.weight]).toEqual(['ROUTE_DRIFTED', 100]);
    stop.abort();
    await rival;
    await releases.order(id, 'rollback');
    await service.reaches(id, 'rolled-back');
    expect(await flagsIn('contended')).toEqual(flags);
  }, 60_000);
});
