import type { GatewayRoute, Route, Seen, SeenShare } from '../../../contracts/route.ts';
import { agrees } from '../../../decisions/agrees.ts';
import { firstStartMs, planes, type PlaneName } from '../../support/data-planes/planes.ts';
import { startTraefik } from '../../support/data-planes/traefik.ts';
import { apisOf, describeOnKubernetes, freshNamespace, type TestNamespace } from '../../support/kubernetes/cluster.ts';
import { deploymentOf, serviceOf } from '../../support/kubernetes/deployment.ts';
import { rights } from '../../support/kubernetes/rights.ts';
import { Objects, type Ground, type Sample } from '../../support/traffic/ground.ts';
import { Hands } from '../../support/traffic/hands.ts';
import { haproxyGround, nginxGround, type ProxyGround } from '../../support/traffic/proxy-grounds.ts';
import { until } from '../../tools/run-start.ts';

interface Moving {
  readonly url: string;
  readonly sample: Sample;
  readonly ground: Pick<Ground, 'router'>;
  readonly stop: () => Promise<void>;
}

async function pods(namespace: TestNamespace): Promise<void> {
  const { core, apps } = apisOf(namespace.admin);
  for (const [name, image] of [
    ['shop', 'app:v1'],
    ['shop-candidate', 'app:v2'],
  ] as const) {
    await core.createNamespacedService({ namespace: namespace.name, body: serviceOf(name) });
    const body = deploymentOf(name, { image, replicas: 1 });
    await apps.createNamespacedDeployment({ namespace: namespace.name, body });
    await until(`${name} is ready`, async () => {
      const { status } = await apps.readNamespacedDeployment({ namespace: namespace.name, name });
      return status?.availableReplicas === 1;
    });
  }
}

async function traefik(namespace: TestNamespace): Promise<Moving> {
  await pods(namespace);
  const sides = { stable: 'shop', candidate: 'shop-candidate' };
  const { url, route: name, stop } = await startTraefik(namespace, sides);
  const objects = new Objects(namespace);
  const ref = { kind: 'HTTPRoute', namespace: namespace.name, name } as const;
  const held = { ...ref, uid: (await objects.read(ref)).metadata?.uid ?? '' };
  const route: GatewayRoute = { via: 'gateway-api', namespace: namespace.name, name, ...sides };
  const sample: Sample = {
    ...{ route, held, astray: route, stranger: route },
    content: () => objects.content(held),
    version: () => objects.version(held),
    byHand: () => Promise.resolve(),
  };
  const router = (): never => {
    throw new Error('no router');
  };
  return { url, sample, ground: { router }, stop };
}

const proxy =
  (open: (namespace: TestNamespace) => Promise<ProxyGround>) =>
  async (namespace: TestNamespace): Promise<Moving> => {
    const ground = await open(namespace);
    return { url: ground.url, sample: await ground.fresh('moving'), ground, stop: ground.stop };
  };

const starts: Readonly<Record<PlaneName, (namespace: TestNamespace) => Promise<Moving>>> = {
  traefik,
  haproxy: proxy(haproxyGround),
  nginx: proxy(nginxGround),
};

describeOnKubernetes('a weight that was read back', () => {
  describe.each(planes)('through $name', ({ name, lacking }) => {
    const where = lacking === '' ? test : test.skip;
    let namespace: TestNamespace;
    let hands: Hands;
    let moving: Moving;
    beforeAll(async () => {
      if (lacking !== '') return;
      namespace = await freshNamespace();
      await namespace.allow(...rights);
      moving = await starts[name](namespace);
      hands = await Hands.open(namespace, moving.ground);
      await hands.claim(moving.sample);
    }, firstStartMs);
    afterAll(async () => {
      if (lacking !== '') return;
      await hands.close();
      await moving.stop();
      await namespace.drop();
    });

    /** Asks 400 times, and again until the share is that of the weight: a router follows a moment later. */
    async function follows(weight: number): Promise<SeenShare> {
      const seen: Seen = { by: 'requests', url: moving.url, at: { json: '/version' }, candidate: 'v2', requests: 400 };
      let share: SeenShare = { candidate: 0, stable: 0, unknown: 0 };
      await until(`the traffic is at ${weight} %`, async () => {
        share = await hands.observe(seen);
        return agrees(weight, share).holds;
      });
      return share;
    }

    where(
      'is the share that the candidate gets of the requests',
      async () => {
        const { sample } = moving;
        for (const weight of [5, 25, 50, 100, 0]) {
          expect(await hands.set(sample, sample.route, weight)).toMatchObject({ weight });
          const { candidate, stable, unknown } = await follows(weight);
          expect(candidate + stable + unknown).toBe(400);
        }
      },
      120_000,
    );

    if (name !== 'traefik') return;
    where(
      'leaves requests with a header or a cookie to the candidate, each of them',
      async () => {
        const asks = [
          { by: 'header', headers: { 'X-Canary': 'yes' }, others: { 'X-Canary': 'no' } },
          { by: 'cookie', headers: { Cookie: 'a=b; canary=yes; c=d' }, others: { Cookie: 'a=b; canary=yesterday' } },
        ] as const;
        for (const { by, headers, others } of asks) {
          const { sample } = moving;
          const match = { by, name: by === 'header' ? 'X-Canary' : 'canary', value: 'yes' };
          const route = { ...sample.route, match } as Route; // that of Traefik takes a match
          await hands.set(sample, route, 5);
          const versions = async (sent: Record<string, string>): Promise<readonly string[]> => {
            const all = await Promise.all(
              Array.from({ length: 60 }, async () => {
                const response = await fetch(moving.url, { headers: sent });
                return ((await response.json()) as { readonly version: string }).version; // application.ts writes it
              }),
            );
            return all;
          };
          await until(`requests with the ${by} reach the candidate`, async () =>
            (await versions(headers)).every((version) => version === 'v2'),
          );
          expect(await versions(headers)).toEqual(Array<string>(60).fill('v2'));
          expect((await versions(others)).filter((version) => version === 'v1').length).toBeGreaterThan(40);
          await follows(5);
          await hands.set(sample, route, 0);
          await until('nobody reaches the candidate', async () => !(await versions(headers)).includes('v2'));
        }
      },
      120_000,
    );
  });
});
