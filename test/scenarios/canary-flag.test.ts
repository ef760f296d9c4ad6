import { randomUUID } from 'node:crypto';
import type { V1ConfigMap } from '@kubernetes/client-node';
import type { CanarySpec } from '../../contracts/release-spec.ts';
import { kubeconfig } from '../../tools/kubernetes/kubeconfig.ts';
import {
  apisOf,
  describeOnKubernetes,
  freshNamespace,
  type Apis,
  type TestNamespace,
} from '../support/kubernetes/cluster.ts';
import { rights } from '../support/kubernetes/rights.ts';
import { RealService } from '../support/real-service.ts';

const flags = {
  flags: {
    'new-checkout': { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' },
    other: { state: 'ENABLED', variants: { on: true }, defaultVariant: 'on' },
  },
};

describeOnKubernetes('a canary by a flag', () => {
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

  const flagsIn = async (name: string): Promise<typeof flags> => {
    const { data } = await apis.core.readNamespacedConfigMap({ namespace: namespace.name, name });
    return JSON.parse(data?.['flags.json'] ?? '') as typeof flags; // written by the test, and by what it tests
  };
  async function made(name: string): Promise<void> {
    const body: V1ConfigMap = { metadata: { name }, data: { 'flags.json': JSON.stringify(flags) } };
    await apis.core.createNamespacedConfigMap({ namespace: namespace.name, body });
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
  const start = async (wanted: CanarySpec): Promise<string> => (await service.deploy(wanted, randomUUID())).status.id;
  const skip = async (id: string): Promise<void> => {
    const { status } = await service.order(id, 'skip', { planHash: (await service.view(id)).status.planHash });
    expect(status).toBe(200);
  };

  test('gives the candidate a growing share of the users, and everybody at the end', async () => {
    await made('plain');
    const id = await start(spec('plain'));
    await service.until('half of them', async () => {
      const { status } = await service.view(id);
      return status.stage === 'weight-50' && status.phase === 'watching' ? true : null;
    });
    const half = await flagsIn('plain');
    expect(half.flags['new-checkout']).toMatchObject({
      defaultVariant: 'off',
      targeting: {
        fractional: [
          ['on', 50],
          ['off', 50],
        ],
      },
    });
    expect(half.flags.other).toEqual(flags.flags.other);
    await skip(id);
    await service.reaches(id, 'deployed');
    expect((await flagsIn('plain')).flags['new-checkout']).toEqual({
      ...flags.flags['new-checkout'],
      defaultVariant: 'on',
    });
    const left = await apis.core.readNamespacedConfigMap({ namespace: namespace.name, name: 'plain' });
    expect(JSON.stringify(left)).not.toContain('lakeshift');
  }, 60_000);

  test('puts a hand edit right on its next look, and goes home when it is told to', async () => {
    await made('edited');
    const id = await start(spec('edited'));
    await service.until('half of them', async () => {
      const { status } = await service.view(id);
      return status.stage === 'weight-50' && status.phase === 'watching' ? true : null;
    });
    const hand = { ...flags.flags['new-checkout'], defaultVariant: 'on' };
    await apis.core.patchNamespacedConfigMap({
      namespace: namespace.name,
      name: 'edited',
      body: [
        {
          op: 'replace',
          path: '/data/flags.json',
          value: JSON.stringify({ flags: { ...flags.flags, 'new-checkout': hand } }),
        },
      ],
    });
    await service.until('the share of the plan', async () => {
      const { 'new-checkout': flag } = (await flagsIn('edited')).flags;
      return 'targeting' in flag ? true : null;
    });
    expect((await service.order(id, 'abort')).status).toBe(200);
    await service.reaches(id, 'rolled-back');
    expect(await flagsIn('edited')).toEqual(flags);
  }, 60_000);
});
