import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ClusterAccess } from '../../../tools/kubernetes/kubeconfig.ts';

/** The API server with somebody in between who hears of each write before it arrives. */
export interface InterceptedApi {
  /** Text of a kubeconfig for it. */
  readonly kubeconfig: string;
  /** Writes that have passed. */
  readonly writes: () => number;
  /** What happens before a write is passed on; it gets how many have passed before. */
  beforeWrite: (passed: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Passes on what is asked, in the name of whoever has that access. */
export async function interceptApi({ url, ca, token }: ClusterAccess): Promise<InterceptedApi> {
  let writes = 0;
  const pass = (asked: IncomingMessage, answer: Parameters<Parameters<typeof createServer>[1] & object>[1]): void => {
    const to = new URL(asked.url ?? '/', url);
    const headers = { ...asked.headers, host: to.host, authorization: `Bearer ${token}` };
    const passed = request(to, { method: asked.method ?? 'GET', headers, ca }, (response) => {
      answer.writeHead(response.statusCode ?? 0, response.headers);
      response.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  };
  const server = createServer((asked, answer) => {
    const waits = asked.method === 'PATCH' ? intercepted.beforeWrite(writes++) : Promise.resolve();
    waits.then(
      () => pass(asked, answer),
      () => answer.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const cluster = { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true };
  const intercepted: InterceptedApi = {
    kubeconfig: JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster }],
      users: [{ name: 'test', user: { token: 'none' } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      'current-context': 'test',
    }),
    writes: () => writes,
    beforeWrite: () => Promise.resolve(),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return intercepted;
}
