import type { CanarySpec, RouteSpec } from '../../contracts/release-spec.ts';
import { agrees } from '../../decisions/agrees.ts';
import { startHaproxy, type HaproxyPlane } from '../support/data-planes/haproxy.ts';
import { startNginx, type NginxPlane } from '../support/data-planes/nginx.ts';
import { firstStartMs, planes, type PlaneName } from '../support/data-planes/planes.ts';
import { sendRequests, type Requests } from '../support/data-planes/requests.ts';
import { untilSent } from '../support/data-planes/until-sent.ts';
import type { DataPlane } from '../support/data-planes/sides.ts';
import { startTraefik, type TraefikPlane } from '../support/data-planes/traefik.ts';
import { describeOnKubernetes } from '../support/kubernetes/cluster.ts';
import { draining, Releases } from '../support/kubernetes/releases.ts';
import { until } from '../support/until.ts';

const replicas = 4;
/** Requests of each way. */
const wanted = 20_000;
/** For some looks. */
const awayMs = 3_000;
/** What a request that was under way already may have been sent before. */
const underWayMs = 500;

describeOnKubernetes('a canary under load', () => {
  let releases: Releases;
  const running = new Map<PlaneName, DataPlane>();
  let routes: Readonly<Record<PlaneName, RouteSpec>>;

  beforeAll(async () => {
    releases = await Releases.prepare();
    const there = planes.filter(({ lacking }) => lacking === '');
    await Promise.all(there.map(({ name }) => releases.serving(name, draining({ replicas }))));
    const [traefik, haproxy, nginx] = await started();
    routes = {
      traefik: { via: 'gateway-api', name: traefik?.route ?? 'none' },
      haproxy: { via: 'haproxy', router: 'edge', backend: 'split', stable: 'stable', candidate: 'candidate' },
      nginx: { via: 'nginx', router: 'web', stable: '', candidate: '', ...nginx?.addresses },
    };
    await releases.serve({
      routers: {
        ...(haproxy === null ? {} : { edge: { kind: 'haproxy', address: haproxy.runtime } }),
        ...(nginx === null
          ? {}
          : { web: { kind: 'nginx', file: nginx.weightsFile, reload: [...nginx.reloadCommand] } }),
      },
    });
  }, firstStartMs);
  afterAll(async () => {
    await Promise.all([...running.values()].map((plane) => plane.stop()));
    await releases.close();
  }, 60_000);

  async function started(): Promise<[TraefikPlane | null, HaproxyPlane | null, NginxPlane | null]> {
    const { namespace } = releases;
    const [traefik, haproxy, nginx] = planes.map(({ lacking }) => lacking === '');
    const found: [TraefikPlane | null, HaproxyPlane | null, NginxPlane | null] = [
      traefik === true ? await startTraefik(namespace, { stable: 'traefik' }) : null,
      haproxy === true ? await startHaproxy(namespace, { stable: 'haproxy', candidate: 'haproxy-candidate' }) : null,
      nginx === true ? await startNginx(namespace, { stable: 'nginx', candidate: 'nginx-candidate' }) : null,
    ];
    for (const [index, plane] of found.entries()) {
      const name = planes[index]?.name;
      if (plane !== null && name !== undefined) running.set(name, plane);
    }
    return found;
  }

  const planeOf = (name: PlaneName): DataPlane => {
    const plane = running.get(name);
    if (plane === undefined) throw new Error(`${name} was not started`);
    return plane;
  };
  const release = (name: PlaneName, from: number, more: Partial<CanarySpec> = {}): CanarySpec => ({
    name: `${name}-${from + 1}`,
    strategy: 'canary',
    target: 'k8s',
    workload: releases.at(name),
    images: { app: `app:v${from + 1}` },
    service: name,
    route: routes[name],
    seen: { url: planeOf(name).url, json: '/version', candidate: `v${from + 1}` },
    steps: [
      { weight: 5, for: '3s' },
      { weight: 25, for: '2s' },
      { weight: 50, for: '2s' },
      { weight: 100, for: '1s' },
    ],
    every: '1s',
    grace: '10s',
    drain: '3s',
    ...more,
  });
  /** Until that share is in place, and was for a while. */
  async function shareAt(id: string, weight: number, forMs: number, requests: Requests, candidate: string) {
    const since = await until(`${weight} %`, async () => {
      const { stage, progress } = (await releases.service.view(id)).status;
      return stage === `weight-${weight}` ? (progress.traffic?.since ?? null) : null;
    });
    await until('the window to be over', () => Promise.resolve(Date.now() > since + forMs ? true : null));
    const { total, byVersion } = await requests.between(since + 200, since + forMs);
    const seen = byVersion[candidate] ?? 0;
    return { total, ...agrees(weight, { candidate: seen, stable: total - seen, unknown: 0 }) };
  }

  describe.each(planes)('through $name', ({ name, lacking }) => {
    const where = lacking === '' ? test : test.skip;
    const because = lacking === '' ? '' : ` (${lacking})`;

    where(
      `loses no request, forward, back, and but for a router that is away; its shares are those of the plan${because}`,
      async () => {
        const requests = await sendRequests({ url: planeOf(name).url, connections: 32, perSecond: 3_000 });
        try {
          const first = await releases.start(release(name, 1));
          const five = await shareAt(first, 5, 2_500, requests, 'v2');
          expect(five).toMatchObject({ holds: true });
          // a share of 5 % shows in as many, also where the machine has little time for us
          expect(five.total).toBeGreaterThan(500);
          await releases.service.reaches(first, 'deployed');
          await releases.gone(`${name}-candidate`);
          expect(await namesLeft(name)).toEqual([]);
          await untilSent(requests, wanted);

          const second = await releases.start(
            release(name, 2, { steps: [{ weight: 50, for: '1h' }, { weight: 100 }] }),
          );
          expect(await shareAt(second, 50, 2_000, requests, 'v3')).toMatchObject({ holds: true });
          const { sent: forward } = await requests.counts();
          const away = await stopped(name, second);
          const ordered = Date.now();
          await releases.order(second, 'abort');
          await releases.service.reaches(second, 'rolled-back');
          await releases.gone(`${name}-candidate`);
          await untilSent(requests, forward + wanted);
          await until('a while at home', () => Promise.resolve(Date.now() > ordered + 6_000 ? true : null));
          const counts = await requests.stop();
          // what is sent while there is no router is lost by nobody else
          expect(counts.trouble?.first).toBeGreaterThan(away.from - underWayMs);
          expect(counts.trouble?.last).toBeLessThan(away.to);
          expect(counts.underWay).toBe(0);
          const { byVersion } = await requests.between(ordered + 5_000, Date.now());
          expect(Object.keys(byVersion)).toEqual(['v2']);
        } finally {
          await requests.end();
        }
      },
      firstStartMs,
    );
  });

  /** The router ends in the middle of a step and comes back as it was started; answers when that was, and half are sent to each side again. */
  async function stopped(name: PlaneName, id: string): Promise<{ readonly from: number; readonly to: number }> {
    const plane = planeOf(name);
    const from = Date.now();
    await plane.down();
    await new Promise((resolve) => setTimeout(resolve, awayMs));
    const { phase, stage } = (await releases.service.view(id)).status;
    expect([phase, stage]).toEqual(['watching', 'weight-50']);
    await plane.up();
    const to = Date.now();
    await until('half of the answers on each side', async () => {
      const versions = await Promise.all(
        Array.from({ length: 40 }, async () => {
          const answer = await fetch(plane.url);
          return ((await answer.json()) as { version: string }).version; // test/support/kubernetes/application.ts writes it
        }),
      );
      const candidates = versions.filter((version) => version === 'v3').length;
      return candidates >= 12 && candidates <= 28 ? true : null;
    });
    return { from, to };
  }

  /** What is left of a canary in the cluster. */
  async function namesLeft(name: string): Promise<string[]> {
    const namespace = releases.namespace.name;
    const [deployments, services] = await Promise.all([
      releases.apis.apps.listNamespacedDeployment({ namespace }),
      releases.apis.core.listNamespacedService({ namespace }),
    ]);
    const own = [...deployments.items, ...services.items].filter(({ metadata }) => metadata?.name?.startsWith(name));
    const ours = own
      .filter((object) => JSON.stringify(object).includes('lakeshift'))
      .map((object) => object.metadata?.name ?? '');
    const candidates = own.map(({ metadata }) => metadata?.name ?? '').filter((found) => found.endsWith('-candidate'));
    return [...ours, ...candidates];
  }
});
