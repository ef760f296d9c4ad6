import type { Plan } from '../../contracts/plan.ts';
import type { RollingSpec } from '../../contracts/release-spec.ts';
import { getHaproxy } from '../../tools/haproxy/get.ts';
import { getNginx } from '../../tools/nginx/get.ts';
import { startHaproxy } from '../support/data-planes/haproxy.ts';
import { startNginx } from '../support/data-planes/nginx.ts';
import type { Counts } from '../support/data-planes/request-messages.ts';
import type { Requests } from '../support/data-planes/requests.ts';
import { untilSent } from '../support/data-planes/until-sent.ts';
import type { DataPlane, Sides } from '../support/data-planes/sides.ts';
import { findTraefik, startTraefik } from '../support/data-planes/traefik.ts';
import { underLoad } from '../support/data-planes/under-load.ts';
import { whyNot } from '../support/data-planes/why-not.ts';
import { describeOnKubernetes, type TestNamespace } from '../support/kubernetes/cluster.ts';
import { Releases } from '../support/kubernetes/releases.ts';
import type { RealService } from '../support/real-service.ts';

interface Plane {
  readonly name: string;
  readonly start: (namespace: TestNamespace, sides: Sides) => Promise<DataPlane>;
  readonly lacking: string;
}

const planes: readonly Plane[] = [
  { name: 'Traefik', start: startTraefik, lacking: await whyNot('Traefik', findTraefik()) },
  { name: 'HAProxy', start: startHaproxy, lacking: await whyNot('HAProxy', getHaproxy()) },
  { name: 'NGINX', start: startNginx, lacking: await whyNot('NGINX', getNginx()) },
];

/** The first test that asks for Traefik waits while it is built. */
const firstStartMs = 20 * 60_000;
const replicas = 4;
/** Requests of each way. */
const wanted = 20_000;

describeOnKubernetes('a rolling release under load', () => {
  let releases: Releases;
  let service: RealService;
  beforeAll(async () => {
    releases = await Releases.open();
    ({ service } = releases);
  }, 60_000);
  afterAll(() => releases.close(), 60_000);

  /** Pods whose process ends at once when it is told to, with nothing that holds that back. */
  const running = (name: string): Promise<void> =>
    releases.serving(name, {
      replicas,
      env: { DRAIN_MS: '0', READY_AFTER_MS: '300' },
      pod: { terminationGracePeriodSeconds: 10 },
    });

  /** Pods drain for as long as they do where nobody says anything, unless it is said. */
  const release = (name: string, image: string, drain?: string): RollingSpec => ({
    name,
    strategy: 'rolling',
    target: 'k8s',
    workload: releases.at(name),
    images: { app: image },
    surge: 1,
    unavailable: 0,
    grace: '12s',
    ...(drain === undefined ? {} : { drain }),
  });

  const findings = async (spec: RollingSpec): Promise<readonly string[]> => {
    const { body } = await service.post('/v1/plans', spec);
    const { plan } = body as { readonly plan: Plan }; // what the API's own schema promises
    return plan.findings.map(({ code }) => code);
  };

  /** Until the pods that go are gone: those lose requests that are not drained. */
  const settled = (name: string): Promise<unknown> =>
    service.until(`the pods of ${name} to be gone that went`, async () => {
      return (await releases.podsOf(name)).length === replicas ? true : null;
    });
  const answeredBy = (requests: Requests, version: string): Promise<unknown> =>
    service.until(`an answer of ${version}`, async () =>
      ((await requests.counts()).byVersion[version] ?? 0) > 0 ? true : null,
    );

  /** Sends requests through a proxy of its own while the work is done; ends all. */
  async function loaded(plane: Plane, name: string, work: (requests: Requests) => Promise<void>): Promise<Counts> {
    const proxy = await plane.start(releases.namespace, { stable: name });
    try {
      return await underLoad(proxy.url, 3_000, work);
    } finally {
      await proxy.stop();
    }
  }

  describe.each(planes)('through $name', (plane) => {
    const name = plane.name.toLowerCase();
    const where = plane.lacking === '' ? test : test.skip;

    where(
      `loses no request, forward and back${plane.lacking}`,
      async () => {
        await running(name);
        expect(await findings(release(name, 'app:v2'))).toContain('NO_DRAIN');
        // from now on the pods have the hook of ours
        await service.reaches(await releases.start(release(name, 'app:v2')), 'deployed');
        await settled(name);
        expect(await findings(release(name, 'app:v3'))).not.toContain('NO_DRAIN');
        const counts = await loaded(plane, name, async (requests) => {
          await service.reaches(await releases.start(release(name, 'app:v3')), 'deployed');
          await untilSent(requests, wanted);
          const second = await releases.start(release(name, 'app:v4'));
          await answeredBy(requests, 'v4');
          const { sent: forward } = await requests.counts();
          expect((await service.order(second, 'abort')).status).toBe(200);
          await service.reaches(second, 'rolled-back');
          await settled(name);
          await untilSent(requests, forward + wanted);
        });
        const { byVersion, ...rest } = counts;
        expect(rest).toEqual({
          sent: rest.sent,
          answered: rest.sent,
          failed: {},
          lost: 0,
          lostBecause: {},
          trouble: null,
          underWay: 0,
        });
        expect(counts.sent).toBeGreaterThanOrEqual(2 * wanted);
        expect(Object.keys(byVersion).sort()).toEqual(['v2', 'v3', 'v4']);
      },
      firstStartMs,
    );

    where(
      `loses some when pods end at once: the test can tell${plane.lacking}`,
      async () => {
        const careless = `${name}-careless`;
        await running(careless);
        const counts = await loaded(plane, careless, async () => {
          await service.reaches(await releases.start(release(careless, 'app:v2', '0s')), 'deployed');
          await settled(careless);
        });
        const failed = Object.values(counts.failed).reduce((sum, count) => sum + count, 0);
        expect(failed + counts.lost).toBeGreaterThan(0);
      },
      firstStartMs,
    );
  });
});
