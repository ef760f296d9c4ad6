import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ClusterAccess } from '../../../tools/kubernetes/kubeconfig.ts';

/** A way to the API server, as whoever has that access, that writes down what it is asked and may be cut or shut. */
export class ApiProxy {
  /** `GET /path`, or `WATCH /path`; since it was last emptied. */
  asked: string[] = [];
  readonly #access: ClusterAccess;
  readonly #server: Server;
  #port = 0;

  private constructor(access: ClusterAccess) {
    this.#access = access;
    this.#server = createServer((asked, answer) => this.#pass(asked, answer));
  }

  static async to(access: ClusterAccess): Promise<ApiProxy> {
    const proxy = new ApiProxy(access);
    await proxy.reopen();
    return proxy;
  }

  /** Text of a kubeconfig for it. */
  get kubeconfig(): string {
    const cluster = { server: `http://127.0.0.1:${this.#port}`, 'insecure-skip-tls-verify': true };
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster }],
      users: [{ name: 'test', user: { token: 'none' } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      'current-context': 'test',
    });
  }

  /** What was asked but for writes. */
  get reads(): readonly string[] {
    return this.asked.filter((one) => /^(GET|WATCH) /.test(one));
  }

  /** Cuts every connection that is open. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  /** Cuts what is open and refuses what comes. */
  async shut(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }

  async reopen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port; // it listens on TCP
  }

  #pass(asked: IncomingMessage, answer: ServerResponse): void {
    const { url, ca, token } = this.#access;
    const to = new URL(asked.url ?? '/', url);
    const method = asked.method ?? 'GET';
    this.asked.push(`${to.searchParams.has('watch') ? 'WATCH' : method} ${to.pathname}`);
    const headers = { ...asked.headers, host: to.host, authorization: `Bearer ${token}` };
    const passed = request(to, { method, headers, ca }, (response) => {
      answer.writeHead(response.statusCode ?? 0, response.headers);
      // a watch has nothing to say for a while, but it is there
      answer.flushHeaders();
      response.on('error', () => answer.destroy());
      response.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    asked.pipe(passed);
  }
}
