import { failures } from '../contracts/failures.ts';
import { ApiProblem, codeOf, type ProblemAnswer, Unreachable } from './failure.ts';

/** Where the API is and as whom we ask. */
export interface Access {
  /** `http://127.0.0.1:7070`, without a path. */
  readonly address: string;
  /** Bearer token, or null: the service is open. */
  readonly token: string | null;
  /** Our name when the service is open. */
  readonly actor: string | null;
  /** Our groups when the service is open, with commas between them. */
  readonly groups: string | null;
  /** Ends every request. */
  readonly signal: AbortSignal;
}

/** One request. */
export interface Ask {
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly query?: URLSearchParams;
  readonly body?: { readonly type: string; readonly text: string };
  readonly headers?: Readonly<Record<string, string>>;
  /** Ms until we stop waiting for the answer's head; default 30 s. */
  readonly patience?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends one request and gives its answer back when it is a good one.
 * Throws ApiProblem for a problem, Unreachable when nobody answers or the answer is not of this service.
 */
export async function send(access: Access, ask: Ask): Promise<Response> {
  const response = await fetched(access, ask);
  if (response.ok) return response;
  throw new ApiProblem(await problemOf(response, access.address));
}

async function fetched(access: Access, ask: Ask): Promise<Response> {
  const { path, query = new URLSearchParams(), patience = 30_000, signal } = ask;
  const url = new URL(path, access.address);
  url.search = query.toString();
  // Only the answer's head is waited for: a stream may last for days.
  const outOfPatience = new AbortController();
  const timer = setTimeout(() => outOfPatience.abort(), patience);
  const stopped = AbortSignal.any([access.signal, ...(signal === undefined ? [] : [signal])]);
  try {
    return await fetch(url, { ...requestOf(access, ask), signal: AbortSignal.any([outOfPatience.signal, stopped]) });
  } catch (error) {
    if (stopped.aborted) throw error;
    throw new Unreachable(`no answer from ${access.address} (${reasonOf(error)})`);
  } finally {
    clearTimeout(timer);
  }
}

const requestOf = (access: Access, ask: Ask): RequestInit => ({
  method: ask.method ?? 'GET',
  headers: headersOf(access, ask),
  body: ask.body?.text ?? null,
});

function headersOf({ token, actor, groups }: Access, { body, headers }: Ask): Record<string, string> {
  return {
    accept: 'application/json, text/event-stream',
    ...(body === undefined ? {} : { 'content-type': body.type }),
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    ...(actor === null ? {} : { 'x-lakeshift-actor': actor }),
    ...(groups === null ? {} : { 'x-lakeshift-groups': groups }),
    ...headers,
  };
}

function reasonOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown reason';
  if ('name' in error && error.name === 'AbortError') return 'out of patience';
  // The reason is in the error that fetch wraps.
  return codeOf('cause' in error ? error.cause : error) ?? 'the connection broke';
}

async function problemOf(response: Response, address: string): Promise<ProblemAnswer> {
  const body: unknown = await response.json().catch(() => null);
  if (isProblem(body)) return body;
  throw new Unreachable(
    `${address} answered ${response.status} without a problem document: is it a Lakeshift service?`,
  );
}

const isProblem = (body: unknown): body is ProblemAnswer =>
  typeof body === 'object' &&
  body !== null &&
  'code' in body &&
  typeof body.code === 'string' &&
  Object.hasOwn(failures, body.code) &&
  'detail' in body &&
  typeof body.detail === 'string';

/** The JSON of a good answer. Throws Unreachable when it is no JSON. */
export async function jsonOf<T>(response: Response): Promise<T> {
  try {
    // The type is the contract of the route; the service checks its answers against the same contract.
    return (await response.json()) as T;
  } catch {
    throw new Unreachable(`${new URL(response.url).origin} answered ${response.status} without JSON`);
  }
}
