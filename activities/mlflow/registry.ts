import { failure } from '../failures.ts';

/** Where a registry is, and as whom it is asked. */
export interface RegistryConnection {
  readonly name: string;
  /** Address of MLflow, without `/api`. */
  readonly url: string;
  /** Bearer token: a secret; null: none is sent. */
  readonly token: string | null;
}

/** One request to a registry. Null as an answer: there is no such thing (404). */
export interface Registry {
  readonly name: string;
  /** Of MLflow's REST API: `registered-models/get`. */
  readonly get: (path: string, query: Readonly<Record<string, string>>) => Promise<unknown>;
  readonly send: (method: 'POST' | 'DELETE', path: string, body: Readonly<Record<string, string>>) => Promise<unknown>;
  /** The text of a file of a version. */
  readonly file: (model: string, version: string, path: string) => Promise<string | null>;
}

/** How long an answer may take, ms. */
const patienceMs = 5_000;
/** A file that is longer is none of those that are read. */
const mostBytes = 1_000_000;

/**
 * Speaks MLflow's REST API (mlflow.org, REST API, Registered Models and Model Versions). Its failures are ours: away or
 * overloaded is *busy*, what it refuses is *broken*; of what it says only the code is kept.
 */
export function openRegistry(connection: RegistryConnection): Registry {
  const api = (path: string): string => `/api/2.0/mlflow/${path}`;
  return {
    name: connection.name,
    get: async (path, query) =>
      read(await ask(connection, 'GET', `${api(path)}?${new URLSearchParams(query).toString()}`)),
    send: async (method, path, body) => read(await ask(connection, method, api(path), JSON.stringify(body))),
    file: async (model, version, path) => {
      const query = new URLSearchParams({ name: model, version, path });
      return (
        (await ask(connection, 'GET', `/model-versions/get-artifact?${query.toString()}`))?.slice(0, mostBytes) ?? null
      );
    },
  };
}

function read(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    throw failure('TARGET_UNREACHABLE', 'the registry answers with something that is not JSON');
  }
}

async function ask(connection: RegistryConnection, method: string, path: string, body: string | null = null) {
  const response = await send(connection, method, path, body).catch(() => null);
  const text = await response?.text().catch(() => null);
  if (response === null || typeof text !== 'string')
    throw failure('TARGET_UNREACHABLE', 'the registry does not answer');
  if (response.ok) return text;
  if (response.status === 404) return null;
  throw refusal(response, codeIn(text));
}

const send = ({ url, token }: RegistryConnection, method: string, path: string, body: string | null) =>
  fetch(`${url.replace(/\/+$/, '')}${path}`, {
    method,
    headers: {
      ...(body === null ? {} : { 'content-type': 'application/json' }),
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    body,
    // a token is for this address alone
    redirect: 'error',
    signal: AbortSignal.timeout(patienceMs),
  });

function refusal({ status, headers }: Response, code: string) {
  const said = `the registry answers ${status}${code === '' ? '' : ` ${code}`}`;
  if (status === 429) return failure('TARGET_BUSY', said, waitOf(headers.get('retry-after')));
  if (status >= 500) return failure('TARGET_UNREACHABLE', said);
  if (status === 401 || status === 403) return failure('RIGHTS_MISSING', said);
  return failure('REGISTRY_REFUSED', said);
}

const mostWaitSeconds = 60;

/** Of a `Retry-After` in seconds. */
const waitOf = (after: string | null): { readonly retryInMs?: number } => {
  const seconds = Number(after ?? Number.NaN);
  return seconds > 0 ? { retryInMs: Math.min(seconds, mostWaitSeconds) * 1_000 } : {};
};

/** MLflow's own code, and nothing else of what it says. */
const codeIn = (text: string): string => /"error_code":\s*"([A-Z_]{1,60})"/.exec(text)?.[1] ?? '';
