import type { BlueGreenSpec } from '../../contracts/release-spec.ts';
import { startHaproxy } from '../support/data-planes/haproxy.ts';
import { startNginx } from '../support/data-planes/nginx.ts';
import { firstStartMs, planes, type PlaneName } from '../support/data-planes/planes.ts';
import { sendRequests } from '../support/data-planes/requests.ts';
import { untilSent } from '../support/data-planes/until-sent.ts';
import type { DataPlane, Sides } from '../support/data-planes/sides.ts';
import { startTraefik } from '../support/data-planes/traefik.ts';
import { describeOnKubernetes, type TestNamespace } from '../support/kubernetes/cluster.ts';
import { draining, Releases } from '../support/kubernetes/releases.ts';
import type { RealService } from '../support/real-service.ts';

const start: Readonly<Record<PlaneName, (namespace: TestNamespace, sides: Sides) => Promise<DataPlane>>> = {
  traefik: startTraefik,
  haproxy: startHaproxy,
  nginx: startNginx,
};
const replicas = 3;
/** Requests of each way. */
const wanted = 20_000;

describeOnKubernetes('a blue-green release under load', () => {
  let releases: Releases;
  let service: RealService;
  let namespace: TestNamespace;
  beforeAll(async () => {
    releases = await Releases.open();
    ({ service, namespace } = releases);
  }, 60_000);
  afterAll(() => releases.close(), 60_000);

  const release = (name: string, image: string, url: string): BlueGreenSpec => ({
    name: `${name}-${image.slice(-2)}`,
    strategy: 'blue-green',
    target: 'k8s',
    service: releases.at(name),
    slots: { label: 'app', blue: `${name}-blue`, green: `${name}-green` },
    images: { app: image },
    seen: { url, json: '/version', candidate: image.slice(-2) },
    watch: { for: '1s' },
    every: '1s',
    keepOld: '1h',
    drain: '3s',
    grace: '10s',
  });

  describe.each(planes)('through $name', ({ name, lacking }) => {
    const where = lacking === '' ? test : test.skip;
    const because = lacking === '' ? '' : ` (${lacking})`;

    where(
      `loses no request, switched, kept, cleaned up, and switched back${because}`,
      async () => {
        await releases.sides(name, draining({ replicas }));
        const plane = await start[name](namespace, { stable: name });
        const requests = await sendRequests({ url: plane.url, connections: 32, perSecond: 3_000 });
        try {
          const first = await releases.start(release(name, 'app:v2', plane.url));
          await service.reaches(first, 'in-grace');
          await releases.skip(first);
          await service.reaches(first, 'deployed');
          await untilSent(requests, wanted);

          const second = await releases.start(release(name, 'app:v3', plane.url));
          await service.reaches(second, 'in-grace');
          const { sent: forward } = await requests.counts();
          const ordered = Date.now();
          await releases.order(second, 'rollback');
          await service.reaches(second, 'rolled-back');
          await untilSent(requests, forward + wanted);
          await service.until('a while at home', () => Promise.resolve(Date.now() > ordered + 6_000 ? true : null));
          const counts = await requests.stop();
          expect(counts.failed).toEqual({});
          expect(counts).toMatchObject({ lost: 0, underWay: 0, answered: counts.sent });
          expect(Object.keys(counts.byVersion).sort()).toEqual(['v1', 'v2', 'v3']);
          const { byVersion } = await requests.between(ordered + 5_000, Date.now());
          expect(Object.keys(byVersion)).toEqual(['v2']);
        } finally {
          await requests.end();
          await plane.stop();
        }
      },
      firstStartMs,
    );
  });
});
