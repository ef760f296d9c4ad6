import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A way to a registry that may be shut, or lose the answer to what it has passed on. */
export class RegistryProxy {
  readonly #upstream: string;
  readonly #server: Server;
  #port = 0;
  /** Requests whose answer is lost: each of them once, by its method and path. */
  readonly losing = new Set<string>();

  private constructor(upstream: string) {
    this.#upstream = upstream;
    this.#server = createServer((asked, answer) => this.#pass(asked, answer));
  }

  static async to(upstream: string): Promise<RegistryProxy> {
    const proxy = new RegistryProxy(upstream);
    await proxy.reopen();
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Cuts what is open and refuses what comes. */
  async shut(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async reopen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port; // it listens on TCP
  }

  #pass(asked: IncomingMessage, answer: ServerResponse): void {
    const to = new URL(asked.url ?? '/', this.#upstream);
    const { method, headers } = asked;
    const isLost = this.losing.delete(`${method ?? ''} ${to.pathname}`);
    const passed = request(to, { method, headers: { ...headers, host: to.host } }, (response) => {
      // it was carried out, and nobody hears of it
      if (isLost) answer.destroy();
      else response.pipe(answer.writeHead(response.statusCode ?? 0, response.headers));
    });
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  }
}
