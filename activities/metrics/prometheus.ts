import type { Rhythm } from '../../decisions/pace/rhythm.ts';
import type { Felt, P99 } from '../../decisions/pace/share.ts';
import { staleMs } from '../../decisions/pace/signals.ts';
import type { Beside, LatencySource } from './latency-source.ts';

/** A Prometheus and what to ask it, as the configuration says. */
export interface PrometheusOptions {
  readonly name: string;
  /** Address of its HTTP API, without `/api/v1`. */
  readonly url: string;
  /** PromQL of the application's p99 in seconds; one value. */
  readonly p99: string;
  /** How far back that query looks, ms. */
  readonly overMs: number;
  /** PromQL of the application's errors, ever; one value that only grows. */
  readonly errors: string | null;
  /** Bearer token: a secret. */
  readonly token: string | null;
}

/** What an instant query gave: a number, or why there is none. Never the server's own words. */
export type Answer =
  { readonly value: number; readonly because: null } | { readonly value: null; readonly because: string };

const askTimeoutMs = 5_000;
const everyMs = 5_000;

/** Asks one instant query. A query that gives no value, more than one, or not a number, has no answer. */
export async function askPrometheus(options: Pick<PrometheusOptions, 'url' | 'token'>, query: string): Promise<Answer> {
  const none = (because: string): Answer => ({ value: null, because });
  try {
    const response = await fetch(`${options.url.replace(/\/+$/, '')}/api/v1/query`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(options.token === null ? {} : { authorization: `Bearer ${options.token}` }),
      },
      body: new URLSearchParams({ query }),
      redirect: 'error',
      signal: AbortSignal.timeout(askTimeoutMs),
    });
    if (!response.ok) return none(`HTTP status ${response.status}`);
    return valueOf(await response.json().catch(() => null));
  } catch (error) {
    return none(
      error instanceof Error && error.name === 'TimeoutError' ? 'no answer in time' : 'it can not be reached',
    );
  }
}

/** Reads `{status, data: {resultType, result}}`; values come as `[time, "text"]`. */
function valueOf(body: unknown): Answer {
  const data = field(body, 'data');
  const result = field(data, 'result');
  if (field(body, 'status') !== 'success' || !Array.isArray(result)) return { value: null, because: 'no such answer' };
  if (field(data, 'resultType') === 'scalar') return numberIn(result);
  if (result.length === 0) return { value: null, because: 'no data' };
  if (result.length > 1) return { value: null, because: `${result.length} values where one is needed` };
  return numberIn(field(result[0], 'value'));
}

function numberIn(pair: unknown): Answer {
  const text: unknown = Array.isArray(pair) ? pair[1] : undefined;
  const value = typeof text === 'string' ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? { value, because: null } : { value: null, because: 'not a number' };
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined;

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
