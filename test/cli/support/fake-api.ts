import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request that the fake has had. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Answers one request: a status and a document, or whatever it writes itself when it gives undefined. */
export type Answer = (seen: Seen, response: ServerResponse) => { status: number; body: unknown } | undefined;

/** An HTTP server that answers as it is told and remembers what it was asked. */
export interface FakeApi {
  readonly address: string;
  readonly seen: Seen[];
  readonly close: () => Promise<void>;
}

/** Starts a fake on a free port. Routes are `GET /v1/targets`; a route without an answer is a 404 problem. */
export async function startFakeApi(routes: Readonly<Record<string, Answer>>): Promise<FakeApi> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (part: string) => (body += part));
    request.on('end', () => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://fake');
      const one = { method: request.method ?? '', path: pathname, query: searchParams, headers: request.headers, body };
      seen.push(one);
      const answer = (routes[`${one.method} ${pathname}`] ?? notFound)(one, response);
      if (answer !== undefined) reply(response, answer.status, answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return {
    address: `http://127.0.0.1:${port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A good answer. */
export const ok =
  (body: unknown): Answer =>
  () => ({ status: 200, body });

/** Each request gets the next answer; the last one repeats. */
export function inTurn(...answers: readonly Answer[]): Answer {
  let next = 0;
  return (seen, response) => answers[Math.min(next++, answers.length - 1)]?.(seen, response);
}

/** A problem document. */
export const problem =
  (status: number, code: string, rest: Readonly<Record<string, unknown>> = {}): Answer =>
  () => ({
    status,
    body: {
      type: `/problems/${code}`,
      title: `title of ${code}`,
      status,
      code,
      detail: `detail of ${code}`,
      instance: 'req-12345678',
      ...rest,
    },
  });

const notFound = problem(404, 'NOT_FOUND');

function reply(response: ServerResponse, status: number, body: unknown): void {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  response.writeHead(status, { 'content-type': type }).end(typeof body === 'string' ? body : JSON.stringify(body));
}
