import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A comment as GitHub's REST API answers it, as far as the action reads it. */
export interface Comment {
  readonly id: number;
  readonly user: { readonly login: string };
  body: string;
}

/** A server that answers as GitHub's REST documentation says for the comments of issue 7 of `acme/shop`. */
export interface GitHub {
  readonly address: string;
  readonly comments: Comment[];
  /** `METHOD path`, in their order. */
  readonly seen: readonly string[];
  readonly close: () => Promise<void>;
}

/** Who may write there, and as whom. */
export const githubToken = 'ghs_0123456789abcdef';
const login = 'github-actions[bot]';
/** The list links to its further pages by the repository's number, not by its name. */
const lists = /^\/(?:repos\/acme\/shop|repositories\/42)\/issues\/7\/comments$/;

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly link?: string;
}

/** Starts one on a free port; read-only, it answers 403 to writers, as on a pull request from a fork. */
export async function startGitHub(comments: Comment[], { readOnly = false } = {}): Promise<GitHub> {
  const seen: string[] = [];
  let address = '';
  const list = (query: URLSearchParams): Answer => {
    const perPage = Math.min(100, Number(query.get('per_page') ?? '30'));
    const page = Number(query.get('page') ?? '1');
    const pages = Math.max(1, Math.ceil(comments.length / perPage));
    const linkTo = (to: number, rel: string): string =>
      `<${address}/repositories/42/issues/7/comments?per_page=${perPage}&page=${to}>; rel="${rel}"`;
    const before = page > 1 ? [linkTo(page - 1, 'prev'), linkTo(1, 'first')] : [];
    const after = page < pages ? [linkTo(page + 1, 'next'), linkTo(pages, 'last')] : [];
    const link = [...before, ...after].join(', ');
    const body = comments.slice((page - 1) * perPage, page * perPage);
    return { status: 200, body, ...(link === '' ? {} : { link }) };
  };
  const write = (method: string, path: string, text: string): Answer => {
    if (readOnly) return { status: 403, body: { message: 'Resource not accessible by integration' } };
    const { body } = JSON.parse(text) as { body: string };
    if (body.length > 65_536) return { status: 422, body: { message: 'Validation Failed' } };
    if (method === 'POST' && lists.test(path)) {
      const made = { id: 1_000 + comments.length, user: { login }, body };
      comments.push(made);
      return { status: 201, body: made };
    }
    const [, id] = /^\/repos\/acme\/shop\/issues\/comments\/(\d+)$/.exec(path) ?? [];
    const found = comments.find((comment) => comment.id === Number(id));
    if (method !== 'PATCH' || found === undefined) return { status: 404, body: { message: 'Not Found' } };
    found.body = body;
    return { status: 200, body: found };
  };
  const answer = (request: IncomingMessage, text: string): Answer => {
    const { pathname, searchParams } = new URL(request.url ?? '/', address);
    const method = request.method ?? 'GET';
    seen.push(`${method} ${pathname}`);
    if (request.headers.authorization !== `Bearer ${githubToken}`)
      return { status: 401, body: { message: 'Bad credentials' } };
    return method === 'GET' && lists.test(pathname) ? list(searchParams) : write(method, pathname, text);
  };
  const server = createServer((request, response) => {
    void textOf(request).then((text) => {
      const { status, body, link } = answer(request, text);
      const type = { 'content-type': 'application/json; charset=utf-8' };
      response.writeHead(status, link === undefined ? type : { ...type, link }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on TCP
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { address, comments, seen, close };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
