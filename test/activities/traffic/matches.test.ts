import type { GatewayRoute, IstioRoute, RequestMatch } from '../../../contracts/route.ts';
import { describeOnKubernetes, freshNamespace, type TestNamespace } from '../../support/kubernetes/cluster.ts';
import { rights } from '../../support/kubernetes/rights.ts';
import { Objects, type Ground, type Sample } from '../../support/traffic/ground.ts';
import { Hands } from '../../support/traffic/hands.ts';
import { gatewayGround, gatewayRules, istioGround, istioRules } from '../../support/traffic/object-grounds.ts';

type Rules = readonly Readonly<Record<string, unknown>>[];

interface Subject {
  readonly name: string;
  readonly open: (namespace: TestNamespace) => Promise<Ground>;
  readonly rules: Rules;
  readonly rulesIn: (content: unknown) => Rules;
  readonly spec: (rules: Rules) => Record<string, unknown>;
  /** What a match looks like there. */
  readonly header: string;
  readonly cookie: string;
  /** Somebody's own rule for the same requests, to that side. */
  readonly own: (to: string) => Readonly<Record<string, unknown>>;
}

const subjects: readonly Subject[] = [
  {
    name: 'gateway-api',
    open: gatewayGround,
    rules: gatewayRules,
    rulesIn: (content) => (content as { readonly spec: { readonly rules: Rules } }).spec.rules, // the test has made it
    spec: (rules) => ({ rules }),
    header: '{"name":"X-Canary","type":"Exact","value":"yes"}',
    cookie: '{"name":"Cookie","type":"RegularExpression","value":"(^|.*;\\\\s*)X-Canary=yes(;.*|$)"}',
    own: (to) => ({
      matches: [{ headers: [{ type: 'Exact', name: 'X-Canary', value: 'yes' }] }],
      backendRefs: [{ name: to, port: 8080 }],
    }),
  },
  {
    name: 'istio',
    open: istioGround,
    rules: istioRules,
    rulesIn: (content) => (content as { readonly spec: { readonly http: Rules } }).spec.http, // the test has made it
    spec: (http) => ({ http }),
    header: '"x-canary":{"exact":"yes"}',
    cookie: '"cookie":{"regex":"^(.*;\\\\s*)?X-Canary=yes(;.*)?$"}',
    own: (to) => ({
      match: [{ headers: { 'x-canary': { exact: 'yes' } } }],
      route: [{ destination: to === 'other' ? { host: to } : { host: 'shop', subset: 'v2' } }],
    }),
  },
];

describeOnKubernetes('requests that go to the candidate whatever its share', () => {
  describe.each(subjects)('$name', ({ open, rules, rulesIn, spec, own, ...form }) => {
    let namespace: TestNamespace;
    let hands: Hands;
    let objects: Objects;
    let ground: Ground;
    let samples = 0;
    beforeAll(async () => {
      namespace = await freshNamespace();
      await namespace.allow(...rights);
      ground = await open(namespace);
      hands = await Hands.open(namespace, ground);
      objects = new Objects(namespace);
    }, 60_000);
    afterAll(async () => {
      await hands.close();
      await namespace.drop();
    });
    async function claimed(by: RequestMatch['by']): Promise<Sample> {
      const sample = await ground.fresh(`match-${(samples += 1)}`);
      await hands.claim(sample);
      // of a ground of this suite the routes can have a match
      const route = sample.route as GatewayRoute | IstioRoute;
      return { ...sample, route: { ...route, match: { by, name: 'X-Canary', value: 'yes' } } };
    }
    const rulesOf = async (sample: Sample): Promise<Rules> => rulesIn(await sample.content());

    test.each(['header', 'cookie'] as const)(
      'has rules of its own for a %s while the traffic is divided',
      async (by) => {
        const sample = await claimed(by);
        const before = await rulesOf(sample);
        for (const weight of [5, 50]) {
          expect(await hands.set(sample, sample.route, weight)).toMatchObject({ weight });
          const now = await rulesOf(sample);
          expect(now).toHaveLength(before.length + 2);
          // the rule with a path of its own, and with a header, keeps both
          for (const twin of now.slice(0, 2)) expect(JSON.stringify(twin)).toContain(form[by]);
          expect(JSON.stringify(now[0])).toMatch(/pay.*x-tier|x-tier.*pay/i);
          expect(now[0]).toMatchObject(
            'timeouts' in (rules[0] ?? {}) ? { timeouts: { request: '7s' } } : { timeout: '7s' },
          );
          expect(JSON.stringify(now.slice(2))).not.toContain(form[by]);
          expect(now[3]).toEqual(before[1]);
        }
        await hands.set(sample, sample.route, 100);
        expect(JSON.stringify(await rulesOf(sample))).not.toContain(form[by]);
        await hands.set(sample, sample.route, 25);
        await hands.set(sample, sample.route, 0);
        expect(await rulesOf(sample)).toEqual(before);
      },
    );

    test('leaves both sides listed, each with its own fields, where both were listed before', async () => {
      const sample = await claimed('header');
      await sample.byHand(0, true);
      await objects.patch(sample.held, { metadata: { labels: { was: 'there' } } });
      await hands.release(sample);
      const before = await sample.content();
      await hands.claim(sample);
      expect(await hands.look(sample.route)).toMatchObject({ state: { weight: 0 } });
      for (const weight of [5, 100, 25, 0])
        expect(await hands.set(sample, sample.route, weight)).toMatchObject({ weight });
      await hands.release(sample);
      expect(await sample.content()).toEqual(before);
    });

    test('sees that somebody has taken such a rule away, and puts it back', async () => {
      const sample = await claimed('header');
      await hands.set(sample, sample.route, 25);
      const right = await rulesOf(sample);
      await objects.patch(sample.held, { spec: spec(right.slice(1)) });
      expect(await hands.read(sample.route)).toEqual({
        weight: null,
        because: expect.stringMatching(/^1 rules instead of 2 send such requests/) as string,
      });
      await hands.set(sample, sample.route, 25);
      expect(await rulesOf(sample)).toEqual(right);
    });

    test("leaves somebody's rule for the same requests alone that sends them elsewhere", async () => {
      const sample = await claimed('header');
      await objects.patch(sample.held, { spec: spec([own('other'), ...rules]) });
      const before = await rulesOf(sample);
      await hands.set(sample, sample.route, 5);
      expect(await rulesOf(sample)).toContainEqual(before[0]);
      await hands.set(sample, sample.route, 0);
      expect(await rulesOf(sample)).toEqual(before);
    });

    test('says before a plan that somebody sends such requests to the candidate already', async () => {
      const sample = await claimed('header');
      await objects.patch(sample.held, { spec: spec([own('shop-candidate'), ...rules]) });
      const { state } = await hands.look(sample.route);
      expect(state).toEqual({ weight: null, because: expect.stringMatching(/^1 rules instead of 0/) as string });
    });
  });
});

describeOnKubernetes('a subset of a VirtualService', () => {
  let namespace: TestNamespace;
  let hands: Hands;
  let sample: Sample;
  let route: IstioRoute;
  beforeAll(async () => {
    namespace = await freshNamespace();
    await namespace.allow(...rights);
    const ground = await istioGround(namespace);
    hands = await Hands.open(namespace, ground);
    sample = await ground.fresh('subsets');
    route = sample.route as IstioRoute; // the ground's own
  }, 60_000);
  afterAll(async () => {
    await hands.close();
    await namespace.drop();
  });

  test('has to stand in a DestinationRule before there is a plan', async () => {
    expect((await hands.look({ ...route, candidate: 'shop#v9' })).state).toEqual({
      weight: null,
      because: `no DestinationRule in ${namespace.name} has a subset v9 of host shop`,
    });
  });

  test.each([
    ['other.$', 'other'],
    ['other.$.svc.cluster.local', 'other'],
    ['*.$.svc.cluster.local', 'shop-candidate'],
  ])('is found where the rule calls its host %s', async (host, service) => {
    const before = await hands.look({ ...route, candidate: `${service}#v3` });
    const called = host.replace('$', namespace.name);
    const name = `rule-${host.replaceAll(/[^a-z]/g, '')}`;
    const subsets = [{ name: 'v3', labels: { version: 'v3' } }];
    const made = await new Objects(namespace).create({
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      metadata: { name },
      spec: { host: called, subsets },
    });
    expect((await hands.look({ ...route, candidate: `${service}#v3` })).state).toMatchObject({ weight: 0 });
    await new Objects(namespace).patch(made, { spec: { subsets: [] } });
    expect(before.state.weight).toBeNull();
  });

  test('of a host that is in another namespace is not for us to see', async () => {
    expect((await hands.look({ ...route, candidate: 'shop.elsewhere#v9' })).state).toMatchObject({ weight: 0 });
  });
});
