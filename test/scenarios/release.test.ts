import type { JointSpec } from '../../contracts/spec.ts';
import { firstStartMs, planes } from '../support/data-planes/planes.ts';
import { startTraefik, type TraefikPlane } from '../support/data-planes/traefik.ts';
import { nothingLost, underLoad } from '../support/data-planes/under-load.ts';
import { exampleWith } from '../support/example.ts';
import { describeOnKubernetes } from '../support/kubernetes/cluster.ts';
import { draining, Releases } from '../support/kubernetes/releases.ts';
import type { RealService } from '../support/real-service.ts';

const describeOnTraefik = planes.some(({ name, lacking }) => name === 'traefik' && lacking === '')
  ? describeOnKubernetes
  : describe.skip;
const rows = 20_000;

describeOnTraefik('a release of a schema and a service', () => {
  let releases: Releases;
  let service: RealService;
  let plane: TraefikPlane;
  let example: JointSpec;
  beforeAll(async () => {
    releases = await Releases.prepare();
    await releases.serving('checkout', draining({ replicas: 4 }));
    plane = await startTraefik(releases.namespace, { stable: 'checkout' });
    await releases.serve();
    ({ service } = releases);
    await service.payments(rows);
    example = await exampleWith<JointSpec>('11-a-release-of-a-schema-and-a-service.yaml', {
      'k8s-data': 'k8s',
      'shop/checkout': releases.at('checkout'),
      'registry.example/checkout:4.3': 'app:4.3',
      checkout: plane.route,
      'http://edge.shop.svc/checkout': plane.url,
      '7d': '1s',
      '10m': '1s',
      '30m': '3s',
      '1h': '1s',
    });
  }, firstStartMs);
  afterAll(async () => {
    await plane.stop();
    await releases.close();
  }, 60_000);

  /** The example, with what is short about a test; the name of the Service is that of the route in it. */
  const spec = (more: Partial<JointSpec> = {}): JointSpec => ({
    ...example,
    services: example.services.map((one) => ({
      ...one,
      service: 'checkout',
      every: '1s',
      grace: '10s',
      drain: '3s',
    })),
    ...more,
  });
  const columns = async (): Promise<readonly string[]> => {
    const { rows: found } = await service.shop.query<{ name: string }>(
      `SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'payments' ORDER BY ordinal_position`,
    );
    return found.map(({ name }) => name);
  };
  test('is one plan, in one order, with one point of no return', async () => {
    const { status, body } = await service.post('/v1/plans', spec());
    expect(status).toBe(200);
    const { plan } = body as { plan: { stages: { name: string }[]; risk: { pointOfNoReturn: string } } };
    expect(plan.stages.map(({ name }) => name)).toEqual([
      'preflight',
      'expand',
      'backfill',
      'build',
      'verify',
      'candidate',
      'weight-5',
      'weight-25',
      'weight-50',
      'weight-100',
      'promote',
      'home',
      'retire',
      'cutover',
      'grace',
      'contract',
    ]);
    expect(plan.risk.pointOfNoReturn).toBe('contract');
  }, 60_000);

  test('sends the traffic home and takes the schema back when it is told to at 25 %, and no row or request is lost', async () => {
    const counts = await underLoad(plane.url, 500, async () => {
      const id = await releases.start(spec({ name: 'first' }));
      await releases.reaches(id, 'weight-25');
      await service.shop.query(`INSERT INTO payments (amount, note) VALUES (12.34, 'meanwhile')`);
      expect((await service.view(id)).status.progress.wayBack.verdict).toBe('lossless');
      await service.killWorker();
      await service.startWorker();
      await releases.order(id, 'rollback');
      await service.reaches(id, 'rolled-back');
      expect([await columns(), await releases.imageOf('checkout')]).toEqual([['id', 'amount', 'note'], 'app:v1']);
      const { rows: found } = await service.shop.query<{ count: number }>(
        'SELECT count(*)::int AS count FROM payments',
      );
      expect(found[0]?.count).toBe(rows + 1);
      const { rows: left } = await service.shop.query(`SELECT 1 FROM pg_namespace WHERE nspname = 'lakeshift'`);
      expect(left).toEqual([]);
    });
    expect(counts).toMatchObject({ ...nothingLost, answered: counts.sent });
  }, 120_000);

  test('goes through to the contract, with a worker that is killed on the way: the example', async () => {
    const counts = await underLoad(plane.url, 500, async () => {
      const id = await releases.start(spec());
      await service.until('the candidate', async () =>
        (await service.view(id)).status.stage === 'weight-5' ? true : null,
      );
      await service.killWorker();
      await service.startWorker();
      await service.until('an approval of contract', async () => {
        const { stage, phase } = (await service.view(id)).status;
        return stage === 'contract' && phase === 'waiting-for-approval' ? true : null;
      });
      expect([await columns(), await releases.imageOf('checkout')]).toEqual([
        ['id', 'amount', 'note', 'amount_cents'],
        'app:4.3',
      ]);
      await service.approve(id, 'dba');
      await service.reaches(id, 'deployed');
      expect(await columns()).toEqual(['id', 'note', 'amount_cents']);
      const { rows: found } = await service.shop.query<{ right: number }>(
        'SELECT count(*)::int AS right FROM payments WHERE amount_cents IS NOT NULL',
      );
      expect(found[0]?.right).toBe(rows + 1);
    });
    expect(counts).toMatchObject({ ...nothingLost, answered: counts.sent });
    expect(Object.keys(counts.byVersion).sort()).toEqual(['4.3', 'v1']);
  }, 120_000);
});
