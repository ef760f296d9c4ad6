/** Upper bounds of the classes, s. */
const classes = [0.05, 0.1, 0.25, 0.5, 1, Infinity];

/** What has come of the requests of a pod, in the words of Prometheus. */
export class RequestFigures {
  readonly #byStatus = new Map<number, number>();
  readonly #byClass = classes.map(() => 0);

  count(status: number, tookMs: number): void {
    this.#byStatus.set(status, (this.#byStatus.get(status) ?? 0) + 1);
    for (const [index, bound] of classes.entries())
      if (tookMs <= 1_000 * bound) this.#byClass[index] = (this.#byClass[index] ?? 0) + 1;
  }

  text(): string {
    const requests = [...this.#byStatus].map(([status, count]) => `http_requests_total{code="${status}"} ${count}\n`);
    const durations = classes.map((bound, index) => {
      const le = bound === Infinity ? '+Inf' : String(bound);
      return `http_request_duration_seconds_bucket{le="${le}"} ${this.#byClass[index] ?? 0}\n`;
    });
    return [...requests, ...durations].join('');
  }
}
