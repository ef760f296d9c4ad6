import type { BlueGreenSpec } from '../../contracts/release-spec.ts';
import { describeOnKubernetes, type Apis, type TestNamespace } from '../support/kubernetes/cluster.ts';
import { Releases } from '../support/kubernetes/releases.ts';
import type { RealService } from '../support/real-service.ts';

describeOnKubernetes('a blue-green release', () => {
  let releases: Releases;
  let service: RealService;
  let namespace: TestNamespace;
  let apis: Apis;
  beforeAll(async () => {
    releases = await Releases.open();
    ({ service, namespace, apis } = releases);
  }, 60_000);
  afterAll(() => releases.close(), 60_000);

  const chosen = async (name: string): Promise<string | undefined> =>
    (await apis.core.readNamespacedService({ namespace: namespace.name, name })).spec?.selector?.['app'];
  const podsOf = async (name: string): Promise<number | undefined> => (await releases.deployment(name)).spec?.replicas;

  const spec = (name: string, more: Partial<BlueGreenSpec> = {}): BlueGreenSpec => ({
    name,
    strategy: 'blue-green',
    target: 'k8s',
    service: releases.at(name),
    slots: { label: 'app', blue: `${name}-blue`, green: `${name}-green` },
    images: { app: 'app:v2' },
    seen: false,
    watch: { for: '1s' },
    keepOld: '1h',
    drain: '1s',
    grace: '2s',
    ...more,
  });

  test('brings the idle side up, switches, keeps the old side and cleans up', async () => {
    await releases.sides('plain');
    const id = await releases.start(spec('plain'));
    await service.reaches(id, 'in-grace');
    expect([await chosen('plain'), await podsOf('plain-blue'), await podsOf('plain-green')]).toEqual([
      'plain-green',
      3,
      3,
    ]);
    await releases.skip(id);
    await service.reaches(id, 'deployed');
    expect([await chosen('plain'), await podsOf('plain-blue'), await podsOf('plain-green')]).toEqual([
      'plain-green',
      0,
      3,
    ]);
    const left = JSON.stringify([
      await releases.deployment('plain-blue'),
      await releases.deployment('plain-green'),
      await apis.core.readNamespacedService({ namespace: namespace.name, name: 'plain' }),
    ]);
    expect(left).not.toContain('lakeshift');
  }, 90_000);

  test('goes back while the old side is kept, and everything is as before', async () => {
    await releases.sides('back');
    const before = await releases.deployment('back-green');
    const id = await releases.start(spec('back'));
    await service.reaches(id, 'in-grace');
    expect((await service.order(id, 'rollback')).status).toBe(200);
    await service.until('the old side to be chosen', async () =>
      (await chosen('back')) === 'back-blue' ? true : null,
    );
    await service.reaches(id, 'rolled-back');
    expect((await releases.deployment('back-green')).spec).toEqual(before.spec);
  }, 90_000);
});
