import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What stands before a service, as a proxy does, and remembers what went through it. */
export interface Front {
  readonly address: string;
  readonly seen: readonly { readonly line: string; readonly headers: IncomingHttpHeaders }[];
  readonly close: () => Promise<void>;
}

/** A proxy on a free port that answers 503 to the first `busy` requests and passes all others on. */
export async function startFront(service: string, busy: number): Promise<Front> {
  const seen: { line: string; headers: IncomingHttpHeaders }[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { method = 'GET', url = '/', headers } = request;
      seen.push({ line: `${method} ${url}`, headers });
      if (seen.length <= busy) {
        response.writeHead(503, { 'retry-after': '1', 'content-type': 'text/plain' }).end('nobody is there yet');
        return;
      }
      const { host: _, connection: _c, 'content-length': _l, ...passed } = headers;
      const body = method === 'GET' ? null : Buffer.concat(parts);
      fetch(`${service}${url}`, { method, headers: passed as Record<string, string>, body })
        .then(async (answer) => {
          const bytes = Buffer.from(await answer.arrayBuffer());
          response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(bytes);
        })
        .catch(() => response.destroy());
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
