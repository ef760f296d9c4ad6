/** Where a Prometheus is, and who asks. */
export interface PrometheusAddress {
  /** Address of its HTTP API, without `/api/v1`. */
  readonly url: string;
  /** Bearer token: a secret. */
  readonly token: string | null;
}

/** What an instant query gave: a number, or why there is none. Never the server's own words. */
export type Answer =
  { readonly value: number; readonly because: null } | { readonly value: null; readonly because: string };

/** Moments at the same distance, epoch ms of the server's clock. */
export interface Moments {
  readonly first: number;
  readonly stepMs: number;
  readonly count: number;
  /** An older sample than this is not a moment's own, ms. */
  readonly lookBackMs: number;
}

/** What a range query gave at each moment; null there: no number. `because`: the whole query has no answer. */
export interface RangeAnswer {
  readonly values: readonly (number | null)[];
  readonly because: string | null;
}

type Body = { readonly data: unknown; readonly because: null } | { readonly data: null; readonly because: string };

const askTimeoutMs = 5_000;

/** Asks one instant query. A query that gives no value, more than one, or not a number, has no answer. */
export async function askPrometheus(address: PrometheusAddress, query: string): Promise<Answer> {
  const { data, because } = await post(address, 'query', { query });
  if (because !== null) return none(because);
  const result = field(data, 'result');
  if (!Array.isArray(result)) return none('no such answer');
  if (field(data, 'resultType') === 'scalar') return numberIn(result);
  if (result.length === 0) return none('no data');
  if (result.length > 1) return none(`${result.length} values where one is needed`);
  return numberIn(field(result[0], 'value'));
}

/** Asks one query at several moments. One series is an answer; none or several are not. */
export async function askRange(address: PrometheusAddress, query: string, moments: Moments): Promise<RangeAnswer> {
  const { first, stepMs, count, lookBackMs } = moments;
  const { data, because } = await post(address, 'query_range', {
    query,
    start: seconds(first),
    end: seconds(first + (count - 1) * stepMs),
    step: seconds(stepMs),
    lookback_delta: seconds(lookBackMs),
  });
  const blank = (because: string): RangeAnswer => ({ values: Array.from({ length: count }, () => null), because });
  if (because !== null) return blank(because);
  const result = field(data, 'result');
  if (!Array.isArray(result)) return blank('no such answer');
  if (result.length === 0) return blank('no data');
  if (result.length > 1) return blank(`${result.length} series where one is needed`);
  return { values: placed(field(result[0], 'values'), moments), because: null };
}

/** Puts each `[time, "text"]` at its moment. */
function placed(pairs: unknown, { first, stepMs, count }: Moments): (number | null)[] {
  const values = Array.from({ length: count }, (): number | null => null);
  for (const pair of Array.isArray(pairs) ? (pairs as unknown[]) : []) {
    const at: unknown = Array.isArray(pair) ? pair[0] : undefined;
    const index = typeof at === 'number' ? Math.round((at * 1_000 - first) / stepMs) : -1;
    if (index >= 0 && index < count) values[index] = numberIn(pair).value;
  }
  return values;
}

async function post(
  address: PrometheusAddress,
  path: 'query' | 'query_range',
  form: Record<string, string>,
): Promise<Body> {
  const nothing = (because: string): Body => ({ data: null, because });
  try {
    const response = await fetch(`${address.url.replace(/\/+$/, '')}/api/v1/${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(address.token === null ? {} : { authorization: `Bearer ${address.token}` }),
      },
      body: new URLSearchParams(form),
      redirect: 'error',
      signal: AbortSignal.timeout(askTimeoutMs),
    });
    if (!response.ok) {
      await response.body?.cancel();
      return nothing(`HTTP status ${response.status}`);
    }
    const body: unknown = await response.json().catch(unread);
    return field(body, 'status') === 'success'
      ? { data: field(body, 'data'), because: null }
      : nothing('no such answer');
  } catch (error) {
    return nothing(isNamed(error, 'TimeoutError') ? 'no answer in time' : 'it can not be reached');
  }
}

/** An answer that ends too late is another thing than one that is not JSON. */
function unread(error: unknown): null {
  if (isNamed(error, 'SyntaxError')) return null;
  throw error;
}

const isNamed = (error: unknown, name: string): boolean =>
  typeof error === 'object' && error !== null && 'name' in error && error.name === name;

function numberIn(pair: unknown): Answer {
  const text: unknown = Array.isArray(pair) ? pair[1] : undefined;
  const value = typeof text === 'string' ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? { value, because: null } : none('not a number');
}

const none = (because: string): Answer => ({ value: null, because });

const seconds = (ms: number): string => (ms / 1_000).toFixed(3);

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined;
