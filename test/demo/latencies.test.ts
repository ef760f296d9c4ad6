import { describe, expect, it } from '@jest/globals';
import { Latencies } from '../../tools/demo/latencies.ts';

describe('latencies', () => {
  it('are not measured before the first request', () => {
    expect(new Latencies().figures()).toMatchObject({ requests: 0, p50: null, p99: null, longest: null });
  });

  it('are as exact as their buckets: 5 %', () => {
    const latencies = new Latencies();
    for (let ms = 1; ms <= 1_000; ms++) latencies.add(ms);

    const { p50, p99, longest } = latencies.figures();
    expect(p50).toBeGreaterThanOrEqual(500);
    expect(p50).toBeLessThanOrEqual(525);
    expect(p99).toBeGreaterThanOrEqual(990);
    expect(p99).toBeLessThanOrEqual(1_000);
    expect(longest).toBe(1_000);
  });

  it('count a failed request as a request and keep its code', () => {
    const latencies = new Latencies();
    latencies.add(2);
    latencies.addError('40P01', 1_000);
    latencies.addError('40P01', 900);

    expect(latencies.figures()).toMatchObject({ requests: 3, errors: 2, errorCodes: { '40P01': 2 }, longest: 1_000 });
  });
});
