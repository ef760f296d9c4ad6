import { setTimeout as sleep } from 'node:timers/promises';
import { askPrometheus } from '../../../activities/metrics/prometheus-query.ts';
import { readWindows } from '../../../activities/metrics/windows.ts';
import type { Gate, GateWindow, Verdict } from '../../../contracts/gate.ts';
import { judgeWindows } from '../../../decisions/judge-windows.ts';
import { describeOnPrometheus, Exposition, TestPrometheus } from '../../support/prometheus.ts';

const windowMs = 1_000;
const gate: Gate = {
  metrics: 'shop',
  requests: 'sum(requests_total)',
  checks: [
    { name: 'errors', kind: 'ratio', query: 'sum(errors_total)', max: 0.01, unit: '%', scale: 1 },
    {
      name: 'p99',
      kind: 'value',
      query: 'histogram_quantile(0.99, sum by (le) (rate(seconds_bucket[2s])))',
      max: 300,
      unit: 'ms',
      scale: 1_000,
    },
  ],
  windowMs,
  fails: 3,
  of: 5,
  atLeast: 50,
  blindForMs: 60_000,
};

describeOnPrometheus('the windows of a real Prometheus', () => {
  const shop = new Exposition();
  let prometheus: TestPrometheus;
  beforeAll(async () => {
    for (const name of ['requests_total', 'errors_total']) shop.add(name, 0);
    prometheus = await TestPrometheus.start(shop);
  }, 30_000);
  afterAll(async () => {
    await prometheus.stop();
    shop.close();
  });

  /** Twenty times a second: ten requests, so many of them failed, all faster or slower than half a second. */
  const serves = (failed: number, isSlow: boolean) => () => {
    shop.add('requests_total', 10);
    shop.add('errors_total', failed);
    shop.add('seconds_bucket{le="0.1"}', isSlow ? 0 : 10);
    shop.add('seconds_bucket{le="1"}', 10);
    shop.add('seconds_bucket{le="+Inf"}', 10);
  };
  const read = (since: number, asked: Gate = gate) =>
    readWindows(asked, since, () => ({
      name: 'shop',
      url: prometheus.url,
      p99: 'p',
      overMs: 60_000,
      errors: null,
      token: null,
    }));
  interface Look {
    readonly windows: readonly GateWindow[];
    readonly blindBecause: string | null;
    readonly verdict: Verdict;
  }
  /** Looks from `since` on until it is as wanted. */
  async function until(wanted: (look: Look) => boolean, since = Date.now(), asked: Gate = gate): Promise<Look> {
    for (;;) {
      const { windows, blindBecause } = await read(since, asked);
      const look = { windows, blindBecause, verdict: judgeWindows(asked, windows, blindBecause) };
      if (wanted(look)) return look;
      await sleep(200);
    }
  }
  const decided = ({ verdict: { decision } }: Look): boolean => decision !== 'hold';

  test('of a good candidate promote it', async () => {
    shop.moves(serves(0, false));
    const { windows, verdict } = await until(decided);
    expect(verdict.decision).toBe('promote');
    expect(windows.at(-1)?.requests).toBeGreaterThan(50);
    expect(windows.at(-1)?.values).toEqual({ errors: 0, p99: expect.closeTo(99, 0) as number });
  }, 60_000);

  test('of one with 5 % errors take it back', async () => {
    shop.moves(serves(0.5, false));
    const { windows, verdict } = await until(decided);
    expect(verdict).toEqual({
      decision: 'rollback',
      because: expect.stringMatching(/^errors 5\.00 %, above 1\.00 % in 3 of the last \d windows$/) as string,
    });
    expect(windows.at(-1)?.values['errors']).toBeCloseTo(0.05, 6);
  }, 60_000);

  test('of one that is slow take it back', async () => {
    shop.moves(serves(0, true));
    const { verdict } = await until(decided);
    expect(verdict.because).toMatch(/^p99 \d+\.\d ms, above 300\.0 ms in 3 of the last \d windows$/);
  }, 60_000);

  test('without traffic are a hold for want of requests, which is no want of data', async () => {
    shop.moves(null);
    const { verdict, blindBecause } = await until(({ windows }) => windows.at(-1)?.requests === 0);
    expect(verdict).toEqual({ decision: 'hold', because: '0 requests in the last window, fewer than 50' });
    expect(blindBecause).toBeNull();
  }, 60_000);

  test('in which the counters begin anew say nothing; the next ones do', async () => {
    shop.moves(serves(0, false));
    const since = Date.now();
    await until(({ windows }) => windows.length === 2, since);
    for (const name of ['requests_total', 'errors_total']) shop.series.set(name, 0);
    const asked = { ...gate, of: 99 };
    const { windows } = await until(
      ({ windows }) => windows.filter(({ requests }) => requests !== null).length >= 5,
      since,
      asked,
    );
    const measured = windows.flatMap(({ requests }) => (requests === null ? [] : [requests]));
    // one window has the border between before and after; what was counted since is not taken for its increase
    expect(windows.filter(({ requests }) => requests === null).length).toBeLessThanOrEqual(2);
    expect(Math.min(...measured)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...measured)).toBeLessThan(1_000);
    expect(await until(decided, since, gate)).toMatchObject({ verdict: { decision: 'promote' } });
  }, 60_000);

  test('of one of several counters that is gone are not what the others have ever counted', async () => {
    shop.series.set('requests_total{pod="gone"}', 1_000_000);
    shop.series.set('requests_total', 1_000_000);
    shop.moves(serves(0, false));
    const address = { url: prometheus.url, token: null };
    while (((await askPrometheus(address, gate.requests)).value ?? 0) < 2_000_000) await sleep(200);
    const since = Date.now();
    const asked = { ...gate, of: 99 };
    await until(({ windows }) => windows.filter(({ requests }) => requests !== null).length >= 2, since, asked);
    shop.series.delete('requests_total{pod="gone"}');
    const { windows } = await until(
      ({ windows }) => windows.some(({ requests }) => requests === null) && windows.at(-1)?.requests !== null,
      since,
      asked,
    );
    expect(Math.max(...windows.map(({ requests }) => requests ?? 0))).toBeLessThan(1_000);
  }, 60_000);

  test('while it is away are blind, of the time when it was say nothing, and then go on', async () => {
    shop.moves(serves(0, false));
    const since = Date.now();
    const asked = { ...gate, of: 99 };
    await until(({ verdict }) => verdict.decision === 'promote', since);
    await prometheus.down();
    expect(await until(() => true, since)).toMatchObject({
      windows: [],
      blindBecause: 'shop: it can not be reached',
      verdict: { decision: 'hold', because: 'shop: it can not be reached' },
    });
    await sleep(4 * windowMs);
    await prometheus.up();
    const { windows } = await until(({ verdict }) => verdict.decision === 'promote', since);
    expect(windows.at(-1)?.requests).toBeGreaterThan(50);
    // one that knows `lookback_delta` says null, an older one the last value that it has: neither can be judged
    const unjudged = (await read(since, asked)).windows.filter(({ requests }) => (requests ?? 0) === 0);
    expect(unjudged.length).toBeGreaterThanOrEqual(2);
  }, 90_000);

  test.each([
    ['rate(', 'errors: HTTP status 400'],
    ['no_such_metric', 'errors: no data'],
    ['{__name__=~"errors_total|up"}', 'errors: 2 series where one is needed'],
  ])(
    'of the query %s are blind',
    async (query, because) => {
      const [errors, ...others] = gate.checks;
      if (errors === undefined) throw new Error('there is one');
      const asked = { ...gate, checks: [{ ...errors, query }, ...others] };
      shop.moves(serves(0, false));
      const { verdict } = await until(({ windows }) => (windows.at(-1)?.requests ?? 0) >= 50, Date.now(), asked);
      expect(verdict).toEqual({ decision: 'hold', because });
    },
    60_000,
  );
});
