import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PrometheusSource } from '../../../activities/metrics/prometheus.ts';
import { askPrometheus } from '../../../activities/metrics/prometheus-query.ts';
import { getFromDebian } from '../../../tools/debian-package.ts';
import { freePort } from '../../../tools/ports.ts';

const listen = async (server: Server): Promise<string> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};
const vector = (...values: string[]) => ({
  status: 'success',
  data: { resultType: 'vector', result: values.map((value) => ({ metric: {}, value: [1_700_000_000.1, value] })) },
});

/** Answers as Prometheus' documentation says; a test sets what. */
class FakePrometheus {
  status = 200;
  body: unknown = vector('0.25');
  asked: { query: string | null; authorization: string | undefined }[] = [];
  readonly server = createServer((request, response) => {
    void this.#read(request).then((query) => {
      this.asked.push({ query, authorization: request.headers.authorization });
      response.writeHead(this.status, { 'content-type': 'application/json' });
      response.end(typeof this.body === 'string' ? this.body : JSON.stringify(this.body));
    });
  });

  async #read(request: IncomingMessage): Promise<string | null> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    return request.url === '/api/v1/query' ? new URLSearchParams(text).get('query') : null;
  }
}

describe('an instant query', () => {
  const fake = new FakePrometheus();
  let url: string;
  beforeAll(async () => void (url = await listen(fake.server)));
  afterAll(() => {
    fake.server.close();
    fake.server.closeAllConnections();
  });
  const ask = () => askPrometheus({ url: `${url}/`, token: 'a-token' }, 'shop_p99');

  test('sends the query and the token, and gives the one value', async () => {
    expect(await ask()).toEqual({ value: 0.25, because: null });
    expect(fake.asked.at(-1)).toEqual({ query: 'shop_p99', authorization: 'Bearer a-token' });
    fake.body = { status: 'success', data: { resultType: 'scalar', result: [1_700_000_000, '7'] } };
    expect(await ask()).toEqual({ value: 7, because: null });
  });

  test.each<[string, number, unknown, string]>([
    ['no series', 200, vector(), 'no data'],
    ['NaN', 200, vector('NaN'), 'not a number'],
    ['+Inf', 200, vector('+Inf'), 'not a number'],
    ['two series', 200, vector('1', '2'), '2 values where one is needed'],
    [
      'a range',
      200,
      { status: 'success', data: { resultType: 'matrix', result: [{ metric: {}, values: [[1, '1']] }] } },
      'not a number',
    ],
    ['an error', 422, { status: 'error', errorType: 'execution', error: 'secret words' }, 'HTTP status 422'],
    ['no right', 401, 'nope', 'HTTP status 401'],
    ['something else', 200, '<html>', 'no such answer'],
    ['another JSON', 200, { hello: 1 }, 'no such answer'],
  ])('that is answered with %s has no value, and says why', async (_, status, body, because) => {
    Object.assign(fake, { status, body });
    expect(await ask()).toEqual({ value: null, because });
  });

  test('to nobody has no value', async () => {
    expect(await askPrometheus({ url: `http://127.0.0.1:${await freePort()}`, token: null }, 'x')).toMatchObject({
      value: null,
    });
  });
});

describe('a source', () => {
  const fake = new FakePrometheus();
  let url: string;
  let now = 0;
  beforeAll(async () => void (url = await listen(fake.server)));
  afterAll(() => {
    fake.server.close();
    fake.server.closeAllConnections();
  });
  beforeEach(() => {
    now = 1_000_000;
    Object.assign(fake, { status: 200, body: vector('0.2') });
  });
  const open = (quiet: boolean, errors: string | null = null) =>
    new PrometheusSource({ name: 'shop', url, p99: 'p', overMs: 60_000, errors, token: null }, null, quiet, () => now);

  test('takes its first answer for the baseline when nothing of ours has run lately', async () => {
    const source = open(true);
    while (source.read(now).alone === null) await source.ask();
    expect(source.read(now)).toEqual({ alone: { ms: 200, at: now }, beside: null, blindBecause: null });
    await source.close();
  });

  test('counts an answer once all that it looks back on was alike', async () => {
    const source = open(false);
    const askAt = async (at: number) => {
      now = at;
      await source.ask();
      await source.ask();
      return source.read(now);
    };
    source.turn('alone');
    expect(await askAt(1_030_000)).toMatchObject({ alone: null });
    expect(await askAt(1_061_000)).toMatchObject({ alone: { ms: 200 } });
    source.turn('bursts');
    fake.body = vector('0.3');
    expect(await askAt(1_110_000)).toMatchObject({ alone: { ms: 200 }, beside: null });
    expect(await askAt(1_122_000)).toMatchObject({ alone: { ms: 200 }, beside: { ms: 300 } });
    source.forget();
    expect(await askAt(1_150_000)).toMatchObject({ beside: null });
    await source.close();
  });

  test('is blind after fifteen seconds without a number, and says why', async () => {
    const source = open(true);
    while (source.read(now).alone === null) await source.ask();
    fake.body = vector('NaN');
    now += 10_000;
    await source.ask();
    expect(source.read(now).blindBecause).toBeNull();
    now += 6_000;
    await source.ask();
    expect(source.read(now).blindBecause).toBe('no p99 from shop: not a number');
    await source.close();
  });

  test('counts errors only where it is told how', async () => {
    const [without, having] = [open(true), open(true, 'errors')];
    while (having.errors === null) await having.ask();
    await without.ask();
    expect([without.errors, having.errors]).toEqual([null, 0.2]);
    await Promise.all([without.close(), having.close()]);
  });
});

/** Null on a machine that has neither Prometheus nor Debian's package of it: then only the fake above is asked. */
const binary = await getFromDebian({
  name: 'prometheus',
  places: ['/usr/bin/prometheus', '/usr/local/bin/prometheus', '/opt/homebrew/bin/prometheus'],
  path: 'usr/bin/prometheus',
  packages: ['prometheus'],
}).then(
  ({ command }) => command,
  () => null,
);

(binary === null ? describe.skip : describe)('a real Prometheus', () => {
  let folder: string;
  let server: ChildProcess;
  let url: string;
  let buckets = 0;
  const metrics = createServer((_, response) => {
    buckets += 100;
    response.end(
      `# TYPE shop_seconds histogram\nshop_seconds_bucket{le="0.1"} ${buckets * 0.5}\nshop_seconds_bucket{le="0.5"} ${buckets}\nshop_seconds_bucket{le="+Inf"} ${buckets}\nshop_seconds_sum 1\nshop_seconds_count ${buckets}\nshop_errors_total 3\n`,
    );
  });
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lakeshift-prometheus-'));
    const target = new URL(await listen(metrics)).host;
    const config = join(folder, 'prometheus.yml');
    await writeFile(
      config,
      `scrape_configs: [{ job_name: shop, scrape_interval: 1s, static_configs: [{ targets: ['${target}'] }] }]\n`,
    );
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    server = spawn(
      binary ?? '',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    );
  });
  afterAll(async () => {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill();
    await ended;
    metrics.close();
    metrics.closeAllConnections();
    await rm(folder, { recursive: true });
  });

  test('answers a quantile over a histogram, and nothing where there is nothing', async () => {
    const ask = (query: string) => askPrometheus({ url, token: null }, query);
    let answer = await ask('histogram_quantile(0.99, sum(rate(shop_seconds_bucket[10s])) by (le))');
    while (answer.value === null) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      answer = await ask('histogram_quantile(0.99, sum(rate(shop_seconds_bucket[10s])) by (le))');
    }
    expect(answer.value).toBeCloseTo(0.492, 2);
    expect(await ask('shop_errors_total')).toEqual({ value: 3, because: null });
    expect(await ask('scalar(shop_errors_total)')).toEqual({ value: 3, because: null });
    expect(await ask('no_such_metric')).toEqual({ value: null, because: 'no data' });
    expect(await ask('0 / (shop_errors_total - 3)')).toEqual({ value: null, because: 'not a number' });
    expect(await ask('{job="shop"}')).toMatchObject({
      because: expect.stringMatching(/^\d+ values where one is needed$/) as string,
    });
    expect(await ask('rate(')).toEqual({ value: null, because: 'HTTP status 400' });
  });
});
