import type { Rhythm } from '../../decisions/pace/rhythm.ts';
import type { Felt, P99 } from '../../decisions/pace/share.ts';
import { staleMs } from '../../decisions/pace/signals.ts';
import type { Beside, LatencySource } from './latency-source.ts';
import { askPrometheus, type PrometheusAddress } from './prometheus-query.ts';

/** A Prometheus and what to ask it, as the configuration says. */
export interface PrometheusOptions extends PrometheusAddress {
  readonly name: string;
  /** PromQL of the application's p99 in seconds; one value. */
  readonly p99: string;
  /** How far back that query looks, ms. */
  readonly overMs: number;
  /** PromQL of the application's errors, ever; one value that only grows. */
  readonly errors: string | null;
}

const everyMs = 5_000;

/** The application's own p99, asked every few seconds. A reading counts once all that it looks back on was alike. */
export class PrometheusSource implements LatencySource {
  readonly name: string;
  readonly rhythm: Rhythm;
  readonly longestMs = null;
  readonly #options: PrometheusOptions;
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  #beside: Beside = 'alone';
  #since: number;
  #alone: P99 | null;
  #bursts: P99 | null = null;
  #goodAt: number;
  #because = 'it has not answered yet';
  #asking: Promise<void> | null = null;

  errors: number | null = null;

  /** `quiet`: nothing of ours has run lately, so that the first answer is a baseline. */
  constructor(options: PrometheusOptions, alone: P99 | null, quiet: boolean, now: () => number = Date.now) {
    this.#options = options;
    this.#now = now;
    this.name = options.name;
    this.rhythm = { firstMs: options.overMs + 30_000, offMs: options.overMs + everyMs, onMs: 10 * options.overMs };
    this.#alone = alone;
    this.#goodAt = now();
    this.#since = quiet ? Number.NEGATIVE_INFINITY : now();
    this.#timer = setInterval(() => void this.ask(), everyMs);
    void this.ask();
  }

  turn(beside: Beside): void {
    if (beside === this.#beside) return;
    this.#beside = beside;
    this.#since = this.#now();
  }

  forget(): void {
    this.#bursts = null;
    if (this.#beside === 'bursts') this.#since = this.#now();
  }

  read(now: number): Felt {
    const blind = now - this.#goodAt > staleMs;
    return {
      alone: this.#alone,
      beside: this.#bursts,
      blindBecause: blind ? `no p99 from ${this.name}: ${this.#because}` : null,
    };
  }

  /** One look; by itself it takes one every few seconds. Of two at a time there is one. */
  ask(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #ask(): Promise<void> {
    const [beside, since] = [this.#beside, this.#since];
    const { value, because } = await askPrometheus(this.#options, this.#options.p99);
    const at = this.#now();
    if (value === null) this.#because = because;
    else {
      this.#goodAt = at;
      if (since === this.#since && at - since >= this.#options.overMs) this.#keep(beside, { ms: value * 1_000, at });
    }
    if (this.#options.errors !== null) this.errors = (await askPrometheus(this.#options, this.#options.errors)).value;
  }

  #keep(beside: Beside, p99: P99): void {
    if (beside === 'alone') this.#alone = p99;
    if (beside === 'bursts') this.#bursts = p99;
  }

  close(): Promise<void> {
    clearInterval(this.#timer);
    return Promise.resolve();
  }
}
