import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readWindows } from '../../../activities/metrics/windows.ts';
import type { Gate } from '../../../contracts/gate.ts';
import { freePort } from '../../../tools/ports.ts';

const gate: Gate = {
  metrics: 'shop',
  requests: 'requests',
  checks: [
    { name: 'errors', kind: 'ratio', query: 'errors', max: 0.01, unit: '%', scale: 1 },
    { name: 'p99', kind: 'value', query: 'p99', max: 300, unit: 'ms', scale: 1_000 },
  ],
  windowMs: 60_000,
  fails: 2,
  of: 3,
  atLeast: 100,
  blindForMs: 300_000,
};

/** What a query gives: values from the first border on (null: no sample), a number of series, or a status. */
type Given = readonly (string | null)[] | { readonly series: number } | { readonly status: number } | 'hangs';

/** Answers as Prometheus' documentation says; a test sets what. */
class FakePrometheus {
  given: Record<string, Given> = {};
  /** Its clock, epoch ms. */
  now = 0;
  asked: { path: string | undefined; form: URLSearchParams; authorization: string | undefined }[] = [];
  readonly server = createServer((request, response) => {
    void this.#form(request).then((form) => {
      const { url: path, headers } = request;
      this.asked.push({ path, form, authorization: headers.authorization });
      const answer = path === '/api/v1/query' ? this.#instant() : this.#range(form);
      if (answer === null) return;
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer.body));
    });
  });

  #instant() {
    const given = this.given['time()'];
    if (given === 'hangs') return null;
    if (given !== undefined && 'status' in given) return { status: given.status, body: 'secret words' };
    const time = this.now / 1_000;
    return { status: 200, body: { status: 'success', data: { resultType: 'scalar', result: [time, String(time)] } } };
  }

  #range(form: URLSearchParams) {
    const given = this.given[form.get('query') ?? ''] ?? [];
    if (given === 'hangs') return null;
    if ('status' in given) return { status: given.status, body: { status: 'error', error: 'secret words' } };
    const [start, step] = [Number(form.get('start')), Number(form.get('step'))];
    const values =
      'series' in given ? [] : given.flatMap((value, at) => (value === null ? [] : [[start + at * step, value]]));
    const series = 'series' in given ? given.series : values.length === 0 ? 0 : 1;
    const result = Array.from({ length: series }, () => ({ metric: {}, values }));
    return { status: 200, body: { status: 'success', data: { resultType: 'matrix', result } } };
  }

  async #form(request: IncomingMessage): Promise<URLSearchParams> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    return new URLSearchParams(text);
  }
}

describe('the windows of a gate', () => {
  const fake = new FakePrometheus();
  let url: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => fake.server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(fake.server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    fake.server.close();
    fake.server.closeAllConnections();
  });
  const since = 1_700_000_000_500;
  const healthy = { requests: ['0', '1000', '2000'], errors: ['0', '1', '3'], p99: ['NaN', '0.1', '0.2'] };
  beforeEach(() => {
    fake.asked = [];
    fake.given = healthy;
  });
  /** So many minutes after the beginning, with a clock there that is ahead by so much. */
  const at = (minutes: number, aheadMs = 0, from = url) => {
    const now = since + minutes * 60_000;
    fake.now = now + aheadMs;
    const source = { name: 'shop', url: from, p99: 'p', overMs: 60_000, errors: null, token: 'a-token' };
    return readWindows(
      gate,
      since,
      (name) => (name === 'shop' ? source : null),
      () => now,
    );
  };
  const window = (from: number, requests: number | null, errors: number | null, p99: number | null) => ({
    from: since + from * 60_000,
    to: since + (from + 1) * 60_000,
    requests,
    values: { errors, p99 },
  });

  test('are the increases between their borders, the ratios of these, and the values at their ends', async () => {
    expect(await at(2.5)).toEqual({
      windows: [window(0, 1_000, 0.001, 100), window(1, 1_000, 0.002, 200)],
      blindBecause: null,
    });
  });

  test('are asked for at their borders, with the token', async () => {
    await at(2.5);
    const ranges = fake.asked.filter(({ path }) => path === '/api/v1/query_range');
    expect(ranges.map(({ form }) => form.get('query'))).toEqual(expect.arrayContaining(['requests', 'errors', 'p99']));
    for (const { form, authorization } of ranges) {
      expect(authorization).toBe('Bearer a-token');
      expect(Object.fromEntries(form)).toMatchObject({
        start: '1700000000.500',
        end: '1700000120.500',
        step: '60.000',
        lookback_delta: '90.000',
      });
    }
  });

  test('are only those that are over', async () => {
    expect(await at(0.9)).toEqual({ windows: [], blindBecause: null });
    expect((await at(1)).windows).toHaveLength(1);
  });

  test('are the latest of them', async () => {
    fake.given = { requests: ['5', '6', '7', '9'], errors: ['1', '1', '1', '1'], p99: ['1', '1', '1', '1'] };
    const { windows } = await at(7.2);
    expect(windows).toEqual([window(4, 1, 0, 1_000), window(5, 1, 0, 1_000), window(6, 2, 0, 1_000)]);
  });

  test.each([
    [-7_200_000, '1699992800.500'],
    [3_000, '1700000003.500'],
    [400, '1700000000.500'],
  ])('are asked for by the clock of the source, which is ahead by %d ms', async (aheadMs, start) => {
    expect((await at(2.5, aheadMs)).windows[0]?.from).toBe(since);
    expect(fake.asked.at(-1)?.form.get('start')).toBe(start);
  });

  test.each<[string, Record<string, Given>, [number | null, number | null, number | null], string | null]>([
    ['no requests', { requests: ['0', '7', '7'] }, [0, null, 200], null],
    [
      'too few requests, and a quantile of nothing',
      { requests: ['0', '7', '17'], p99: ['1', '1', 'NaN'] },
      [10, 0.2, null],
      null,
    ],
    [
      'a counter that was begun anew',
      { requests: ['0', '900', '200'] },
      [null, null, 200],
      'requests: the counter was begun anew',
    ],
    [
      'errors that were begun anew',
      { errors: ['9', '9', '2'] },
      [1_000, null, 200],
      'errors: the counter was begun anew',
    ],
    [
      'no sample at a border',
      { requests: ['0', null, '2000'] },
      [null, null, 200],
      'requests: no number at a border of the window',
    ],
    [
      'no sample at the end',
      { errors: ['0', '1', null] },
      [1_000, null, 200],
      'errors: no number at a border of the window',
    ],
    [
      'a value that is not a number',
      { p99: ['1', '1', 'NaN'] },
      [1_000, 0.002, null],
      'p99: no number at a border of the window',
    ],
    ['an endless value', { p99: ['1', '1', '+Inf'] }, [1_000, 0.002, null], 'p99: no number at a border of the window'],
    ['no series', { requests: [] }, [null, null, 200], 'requests: no data'],
    ['several series', { errors: { series: 2 } }, [1_000, null, 200], 'errors: 2 series where one is needed'],
    ['a wrong query', { p99: { status: 400 } }, [1_000, 0.002, null], 'p99: HTTP status 400'],
    [
      'a wrong query and few requests',
      { requests: ['0', '0', '0'], p99: { status: 422 } },
      [0, null, null],
      'p99: HTTP status 422',
    ],
  ])('with %s say so in the last one', async (_, given, [requests, errors, p99], because) => {
    fake.given = { ...healthy, ...given };
    const seen = await at(2.5);
    expect(seen.windows.at(-1)).toEqual(window(1, requests, errors, p99));
    expect(seen.blindBecause).toBe(because);
  });

  test('see again after a window without data', async () => {
    fake.given = { ...healthy, requests: [null, '1000', '2000'] };
    const { windows, blindBecause } = await at(2.5);
    expect(windows.map(({ requests }) => requests)).toEqual([null, 1_000]);
    expect(blindBecause).toBeNull();
  });

  test('of a source that refuses, or is away, are none, and say why without its words', async () => {
    fake.given = { 'time()': { status: 403 } };
    expect(await at(2.5)).toEqual({ windows: [], blindBecause: 'shop: HTTP status 403' });
    const nobody = `http://127.0.0.1:${await freePort()}`;
    expect(await at(2.5, 0, nobody)).toEqual({ windows: [], blindBecause: 'shop: it can not be reached' });
    expect(await readWindows(gate, since, () => null)).toEqual({
      windows: [],
      blindBecause: 'the worker knows no metrics source shop',
    });
  });

  test('of a source that never answers are none, and say so', async () => {
    fake.given = { 'time()': 'hangs' };
    expect(await at(2.5)).toEqual({ windows: [], blindBecause: 'shop: no answer in time' });
    fake.given = { ...healthy, errors: 'hangs' };
    expect(await at(2.5)).toMatchObject({ blindBecause: 'errors: no answer in time' });
  }, 30_000);
});
