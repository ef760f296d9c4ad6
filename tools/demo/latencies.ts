/** Percentiles and counts of one period, in ms. */
export interface Figures {
  readonly requests: number;
  readonly errors: number;
  /** SQLSTATE or the driver's code → how often. */
  readonly errorCodes: Readonly<Record<string, number>>;
  /** Reads that did not agree with what the application had written. */
  readonly wrongReads: number;
  /** Null: no request in the period. */
  readonly p50: number | null;
  readonly p99: number | null;
  readonly longest: number | null;
}

const growth = 1.05;

/** Counts requests of one period in buckets that are 5 % wide: as exact after days as after seconds. */
export class Latencies {
  private readonly buckets = new Map<number, number>();
  private readonly codes = new Map<string, number>();
  private requests = 0;
  private errors = 0;
  private wrongReads = 0;
  private longest = 0;

  /** One request that was answered, in ms. */
  add(ms: number): void {
    const bucket = Math.ceil(Math.log(Math.max(ms, 0.01)) / Math.log(growth));
    this.buckets.set(bucket, (this.buckets.get(bucket) ?? 0) + 1);
    this.requests++;
    this.longest = Math.max(this.longest, ms);
  }

  /** One request that failed after so many ms. */
  addError(code: string, ms: number): void {
    this.add(ms);
    this.errors++;
    this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
  }

  /** One read that gave another amount than the application had written. */
  addWrongRead(): void {
    this.wrongReads++;
  }

  figures(): Figures {
    return {
      requests: this.requests,
      errors: this.errors,
      errorCodes: Object.fromEntries(this.codes),
      wrongReads: this.wrongReads,
      p50: this.percentile(0.5),
      p99: this.percentile(0.99),
      longest: this.requests === 0 ? null : this.longest,
    };
  }

  private percentile(share: number): number | null {
    if (this.requests === 0) return null;
    let left = Math.ceil(this.requests * share);
    for (const [bucket, many] of [...this.buckets].toSorted(([a], [b]) => a - b)) {
      left -= many;
      if (left <= 0) return Math.min(growth ** bucket, this.longest);
    }
    return this.longest;
  }
}
