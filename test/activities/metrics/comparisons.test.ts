import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { readComparisons } from '../../../activities/metrics/comparisons.ts';
import type { Comparison } from '../../../contracts/gate.ts';

const accuracy: Comparison = {
  name: 'accuracy',
  better: 'more',
  candidate: { part: 'right', whole: 'scored' },
  stable: { part: 'right-of-stable', whole: 'scored-by-stable' },
  margin: 0.01,
  atLeast: 100,
};
const gate = { metrics: 'shop', windowMs: 60_000 };
const since = 1_700_000_000_000;

describe('what both sides have counted since a step began', () => {
  /** Values at the borders of the windows, by query; null: no sample there. */
  let given: Readonly<Record<string, readonly (number | null)[]>>;
  let asked: URLSearchParams[];
  const fake = createServer((request, response) => {
    void text(request).then((body) => {
      const form = new URLSearchParams(body);
      const answer = request.url === '/api/v1/query' ? clock() : range(form);
      response.end(JSON.stringify({ status: 'success', data: answer }));
    });
  });
  const clock = () => ({ resultType: 'scalar', result: [since / 1_000, String(since / 1_000)] });
  function range(form: URLSearchParams) {
    asked.push(form);
    const [start, step] = [Number(form.get('start')), Number(form.get('step'))];
    const values = (given[form.get('query') ?? ''] ?? []).flatMap((value, at) =>
      value === null ? [] : [[start + at * step, String(value)]],
    );
    return { resultType: 'matrix', result: values.length === 0 ? [] : [{ metric: {}, values }] };
  }
  let url: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => fake.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(fake.address() as AddressInfo).port}`; // it listens on TCP
  });
  beforeEach(() => {
    asked = [];
  });
  afterAll(() => {
    fake.close();
    fake.closeAllConnections();
  });

  /** As if so many minutes had passed; the clocks agree, for the source's is asked at the same moment. */
  const read = (minutes: number) => {
    let looks = 0;
    const now = (): number => (looks++ === 0 ? since + minutes * 60_000 : since);
    return readComparisons(gate, [accuracy], since, () => ({ url, token: null, name: 'shop' }) as never, now);
  };
  const stable = { 'right-of-stable': [0, 900, 1_800, 2_700], 'scored-by-stable': [0, 1_000, 2_000, 3_000] };

  it('is the sum of all windows that are over', async () => {
    given = { right: [10, 100, 190, 285], scored: [10, 110, 210, 310], ...stable };
    expect(await read(3.5)).toEqual({
      accuracy: { candidate: { part: 275, whole: 300 }, stable: { part: 2_700, whole: 3_000 } },
    });
    expect(asked.map((form) => [form.get('start'), form.get('step')])).toEqual(
      Array.from({ length: 4 }, () => [(since / 1_000).toFixed(3), '60.000']),
    );
  });

  it.each([
    ['a counter that was begun anew', { right: [10, 100, 5, 95], scored: [10, 110, 10, 110] }],
    ['a border without a sample', { right: [10, 100, 190, 280], scored: [null, 110, 210, 310] }],
  ])('leaves a window with %s out of both sides', async (_, candidate) => {
    given = { ...candidate, ...stable };
    expect(await read(3)).toEqual({
      accuracy: { candidate: { part: 180, whole: 200 }, stable: { part: 1_800, whole: 2_000 } },
    });
  });

  it.each([
    ['its last window is not known', { right: [10, 100, 190, null], scored: [10, 110, 210, 310], ...stable }],
    ['one side has no data', { right: [10, 100, 190, 280], scored: [10, 110, 210, 310] }],
  ])('is not known where %s', async (_, counters) => {
    given = counters;
    expect(await read(3)).toEqual({ accuracy: null });
  });

  it('is not known before a window is over, and without a source', async () => {
    expect(await read(0.9)).toEqual({ accuracy: null });
    expect(asked).toEqual([]);
    const none = readComparisons(
      gate,
      [accuracy],
      since,
      () => null,
      () => since + 180_000,
    );
    expect(await none).toEqual({ accuracy: null });
  });

  it('is asked in coarser windows where there would be too many', async () => {
    given = {};
    await read(25_000);
    expect(new Set(asked.map((form) => form.get('step')))).toEqual(new Set(['180.000']));
    const last = since + 25_000 * 60_000;
    expect(asked[0]?.get('end')).toBe((last / 1_000).toFixed(3));
  });
});
