import { routers as known, type RouterName } from '../../../contracts/catalog.ts';
import { failures, type FailureCode } from '../../../contracts/failures.ts';
import { routers } from '../../../activities/traffic/index.ts';
import { describeOnKubernetes, freshNamespace, type TestNamespace } from '../../support/kubernetes/cluster.ts';
import { rights } from '../../support/kubernetes/rights.ts';
import { Objects, type Ground, type Sample } from '../../support/traffic/ground.ts';
import { Hands, ours } from '../../support/traffic/hands.ts';
import { interceptApi } from '../../support/traffic/intercepted-api.ts';
import {
  flagGround,
  gatewayGround,
  isObject,
  istioGround,
  serviceGround,
} from '../../support/traffic/object-grounds.ts';
import { haproxyGround, lacksHaproxy, lacksNginx, nginxGround } from '../../support/traffic/proxy-grounds.ts';

interface Subject {
  readonly ground: (namespace: TestNamespace) => Promise<Ground>;
  /** The weights on the way, and the one that is set by hand. */
  readonly weights: readonly number[];
  readonly lacking: string;
}

const share = [5, 25, 50, 100];

/** Total: a router that stands in the catalogue and not here does not compile, and the first test fails. */
const subjects: Readonly<Record<RouterName, Subject>> = {
  'gateway-api': { ground: gatewayGround, weights: share, lacking: '' },
  istio: { ground: istioGround, weights: share, lacking: '' },
  service: { ground: serviceGround, weights: [100], lacking: '' },
  flag: { ground: flagGround, weights: share, lacking: '' },
  haproxy: { ground: haproxyGround, weights: share, lacking: lacksHaproxy },
  nginx: { ground: nginxGround, weights: share, lacking: lacksNginx },
};

test('every router of the catalogue is in this suite', () => {
  expect(Object.keys(subjects).sort()).toEqual([...known].sort());
  expect(Object.keys(routers).sort()).toEqual([...known].sort());
});

const codeOf = (work: Promise<unknown>): Promise<FailureCode> =>
  work.then(
    () => Promise.reject(new Error('it was not refused')),
    // what activities throw has its code as its type
    (error: unknown) => (error as { readonly type: FailureCode }).type,
  );

const cases = Object.entries(subjects).map(([name, subject]) => ({ name, ...subject }));

describeOnKubernetes('the routers', () => {
  describe.each(cases)('$name', ({ name, ground: open, weights, lacking }) => {
    const where = lacking === '' ? test : test.skip;
    let namespace: TestNamespace;
    let ground: Ground;
    let hands: Hands;
    let objects: Objects;
    let samples = 0;
    beforeAll(async () => {
      if (lacking !== '') return;
      namespace = await freshNamespace();
      await namespace.allow(...rights);
      ground = await open(namespace);
      hands = await Hands.open(namespace, ground);
      objects = new Objects(namespace);
    }, 60_000);
    afterAll(async () => {
      if (lacking !== '') return;
      await hands.close();
      await ground.stop();
      await namespace.drop();
    });
    const fresh = (): Promise<Sample> => ground.fresh(`${name}-${(samples += 1)}`);
    const claimed = async (): Promise<Sample> => {
      const sample = await fresh();
      expect(await hands.claim(sample)).toEqual({ held: true });
      return sample;
    };
    const [first = 100] = weights;
    const other = weights[1] ?? 100;

    where('looks before a plan, and touches nothing', async () => {
      const sample = await fresh();
      const [content, version] = [await sample.content(), await sample.version()];
      const facts = await hands.look(sample.route);
      expect(facts).toMatchObject({ state: { weight: 0 }, ownedBy: null, holder: null, nearby: [] });
      expect(facts.object).toEqual(isObject(sample.route) ? sample.held : null);
      expect([await sample.content(), await sample.version()]).toEqual([content, version]);
    });

    where('says what is missing', async () => {
      const { route, astray, stranger } = await fresh();
      if (isObject(route) && 'name' in route) {
        const facts = await hands.look(astray);
        expect(facts).toMatchObject({ object: null, state: { weight: null } });
        expect(facts.state.because).toContain(`${namespace.name}/${route.name}-gone`);
        expect(facts.nearby).toContain(`${namespace.name}/${route.name}`);
        expect(await codeOf(hands.read(astray))).toBe('TARGET_DRIFTED');
      } else {
        expect(await codeOf(hands.look(astray))).toMatch(/^TARGET_(DRIFTED|UNREACHABLE)$/);
        expect(await codeOf(hands.look(stranger))).toBe('TARGET_DRIFTED');
      }
    });

    where('sets each weight, reads it back, and leaves everything as it was at 0', async () => {
      const sample = await fresh();
      const before = await sample.content();
      await hands.claim(sample);
      for (const weight of [...weights, 0]) {
        expect(await hands.set(sample, sample.route, weight)).toMatchObject({ weight });
        expect(await hands.read(sample.route)).toMatchObject({ weight });
        const version = await sample.version();
        expect(await hands.set(sample, sample.route, weight, { turn: 2 })).toMatchObject({ weight });
        expect(await sample.version()).toBe(version);
      }
      await hands.release(sample);
      expect(await sample.content()).toEqual(before);
    });

    where('writes nothing for a candidate that is not known there', async () => {
      const sample = await claimed();
      const [content, version] = [await sample.content(), await sample.version()];
      const code = await codeOf(hands.set(sample, sample.stranger, first));
      expect([code, failures[code].family]).toEqual(['TARGET_DRIFTED', 'broken']);
      expect([await sample.content(), await sample.version()]).toEqual([content, version]);
    });

    where('sees an edit by hand, and puts it right with the next write', async () => {
      const sample = await claimed();
      await hands.set(sample, sample.route, first);
      const content = await sample.content();
      const edit = weights.length === 1 ? 0 : 77;
      await sample.byHand(edit);
      expect(await hands.read(sample.route)).toMatchObject({ weight: edit });
      await hands.set(sample, sample.route, first);
      expect(await sample.content()).toEqual(content);
    });

    where('refuses a delivery that is older than the fence, and one whose claim is gone', async () => {
      const sample = await claimed();
      await hands.set(sample, sample.route, first, { turn: 3 });
      await hands.raiseFence(sample, { turn: 5, attempt: 2 });
      const [content, version] = [await sample.content(), await sample.version()];
      for (const old of [{ turn: 4, attempt: 9 }, { turn: 5 }])
        expect(await codeOf(hands.set(sample, sample.route, 0, old))).toBe('FENCED');
      expect(await codeOf(hands.set(sample, sample.route, 0, { turn: 9, deployment: 'another-00000002' }))).toBe(
        'CLAIM_GONE',
      );
      await hands.release(sample, { turn: 6 });
      expect(await codeOf(hands.set(sample, sample.route, 0, { turn: 7 }))).toBe('CLAIM_GONE');
      await hands.claim(sample, { turn: 5 });
      expect(await hands.read(sample.route)).toMatchObject({ weight: first });
      if (!isObject(sample.route)) expect([await sample.content(), await sample.version()]).toEqual([content, version]);
    });

    where('is busy while the API server does not answer, and writes nothing', async () => {
      const sample = await claimed();
      const [content, version] = [await sample.content(), await sample.version()];
      const intercepted = await interceptApi(namespace.guest);
      await intercepted.close();
      const cut = await Hands.open(namespace, ground, intercepted.kubeconfig);
      const code = await codeOf(cut.set(sample, sample.route, first));
      expect([code, failures[code].family]).toEqual(['TARGET_UNREACHABLE', 'busy']);
      await cut.close();
      expect([await sample.content(), await sample.version()]).toEqual([content, version]);
    });

    // what follows is of routes that are objects of the cluster
    if (name === 'haproxy' || name === 'nginx') return;

    where('says who keeps the object, and who holds it', async () => {
      const sample = await claimed();
      await objects.patch(sample.held, {
        metadata: { annotations: { 'argocd.argoproj.io/tracking-id': 'shop:v1/Service:a/b' } },
      });
      expect(await hands.look(sample.route)).toMatchObject({ ownedBy: 'Argo CD (shop)', holder: ours });
      await objects.patch(sample.held, {
        metadata: {
          annotations: { 'argocd.argoproj.io/tracking-id': null },
          labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps' },
        },
      });
      expect(await hands.look(sample.route)).toMatchObject({ ownedBy: 'Flux (apps)' });
    });

    where('begins anew when somebody has written in between, and loses nothing of theirs', async () => {
      const sample = await claimed();
      const intercepted = await interceptApi(namespace.guest);
      const between = await Hands.open(namespace, ground, intercepted.kubeconfig);
      intercepted.beforeWrite = async (passed) => {
        if (passed < 2) await objects.patch(sample.held, { metadata: { labels: { [`hand-${passed}`]: 'yes' } } });
      };
      expect(await between.set(sample, sample.route, first)).toMatchObject({ weight: first });
      expect(intercepted.writes()).toBe(3);
      expect(await sample.content()).toMatchObject({ labels: { 'hand-0': 'yes', 'hand-1': 'yes' } });
      // and one who is never let through has written nothing, and says so
      intercepted.beforeWrite = (passed) => objects.patch(sample.held, { metadata: { labels: { n: String(passed) } } });
      expect(await codeOf(between.set(sample, sample.route, 0))).toBe('TARGET_BUSY');
      expect(await hands.read(sample.route)).toMatchObject({ weight: first });
      await between.close();
      await intercepted.close();
    });

    where('shares the object with another controller: each keeps what is its own', async () => {
      const sample = await claimed();
      let over = false;
      let theirs = 0;
      const controller = async (): Promise<void> => {
        while (!over)
          await objects.patch(sample.held, { metadata: { annotations: { theirs: String((theirs += 1)) } } });
      };
      const running = controller();
      for (const weight of [...weights, 0, other]) {
        for (let tries = 1; ; tries += 1) {
          const result = await hands.set(sample, sample.route, weight).catch((error: unknown) => error);
          if (!(result instanceof Error)) break;
          // Temporal would try again, as long as it takes
          expect([await codeOf(Promise.reject(result)), tries < 50]).toEqual(['TARGET_BUSY', true]);
        }
        expect(await hands.read(sample.route)).toMatchObject({ weight });
      }
      over = true;
      await running;
      expect(await sample.content()).toMatchObject({ annotations: { theirs: String(theirs) } });
    });
  });
});
