import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { observeMetrics } from '../../../activities/traffic/observe.ts';
import type { SeenShare } from '../../../contracts/route.ts';
import { agrees } from '../../../decisions/agrees.ts';
import { freePort } from '../../../tools/ports.ts';
import { describeOnPrometheus, Exposition, TestPrometheus } from '../../support/prometheus.ts';

const candidate = 'sum(answers_total{side="candidate"})';
const stable = 'sum(answers_total{side="stable"})';

describeOnPrometheus('the share of requests by two counters', () => {
  const shop = new Exposition();
  let prometheus: TestPrometheus;
  beforeAll(async () => {
    for (const side of ['candidate', 'stable']) shop.add(`answers_total{side="${side}"}`, 1_000_000);
    prometheus = await TestPrometheus.start(shop);
  }, 30_000);
  afterAll(async () => {
    await prometheus.stop();
    shop.close();
  });
  const divides = (share: number) => () => {
    shop.add('answers_total{side="candidate"}', 20 * share);
    shop.add('answers_total{side="stable"}', 20 * (1 - share));
  };
  const observe = (queries: { candidate?: string; stable?: string } = {}, url = prometheus.url): Promise<SeenShare> => {
    const env = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    const source = { name: 'shop', url, p99: 'p', overMs: 60_000, errors: null, token: null };
    const seen = { by: 'metrics' as const, source: 'shop', candidate, stable, ...queries };
    const find = (name: string) => (name === 'shop' ? source : null);
    return env.run(() => observeMetrics(seen, find, 2_000));
  };
  /** Looks until something was counted at that share: the source is fed a moment later than it is moved. */
  async function settled(share: number): Promise<SeenShare> {
    shop.moves(divides(share));
    for (;;) {
      const seen = await observe();
      if (agrees(share * 100, seen).holds) return seen;
    }
  }

  test('is how much each of them grows meanwhile', async () => {
    const { candidate, stable, unknown } = await settled(0.25);
    expect(candidate + stable).toBeGreaterThan(100);
    expect(candidate / (candidate + stable)).toBeCloseTo(0.25, 2);
    expect(unknown).toBe(0);
  }, 60_000);

  test('is not that of a moment ago, and agrees with no other weight', async () => {
    const seen = await settled(0.5);
    expect(agrees(5, seen).holds).toBe(false);
    expect(agrees(100, seen).holds).toBe(false);
    expect(await settled(1)).toMatchObject({ stable: 0 });
    expect(await settled(0)).toMatchObject({ candidate: 0 });
  }, 90_000);

  test.each([
    ['no data', { stable: 'no_such_metric' }],
    ['a wrong query', { stable: 'rate(' }],
    ['several series', { stable: '{__name__=~"answers_total|up"}' }],
  ])(
    'is unknown where one of them has %s, and so proves no weight',
    async (_, queries) => {
      shop.moves(divides(1));
      const seen = await observe(queries);
      expect(seen).toMatchObject({ candidate: 0, stable: 0 });
      expect(seen.unknown).toBeGreaterThan(0);
      for (const weight of [0, 50, 100]) expect(agrees(weight, seen).holds).toBe(false);
    },
    30_000,
  );

  test('is unknown where one of them begins anew meanwhile', async () => {
    await settled(0.5);
    const looking = observe();
    shop.series.set('answers_total{side="stable"}', 0);
    const seen = await looking;
    expect(seen).toMatchObject({ candidate: 0, stable: 0 });
    expect(seen.unknown).toBeGreaterThan(0);
  }, 60_000);

  test('is unknown where nobody can be asked', async () => {
    const nobody = `http://127.0.0.1:${await freePort()}`;
    expect(await observe({}, nobody)).toEqual({ candidate: 0, stable: 0, unknown: 1 });
  }, 30_000);

  test('by a source that is not configured is a failure with its name', async () => {
    const env = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    const seen = { by: 'metrics' as const, source: 'elsewhere', candidate, stable };
    await expect(env.run(() => observeMetrics(seen, () => null, 1))).rejects.toThrow(
      'the worker knows no metrics source elsewhere',
    );
  });
});
