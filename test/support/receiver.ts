import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** One request as it came. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Epoch ms. */
  readonly at: number;
}

/** What a receiver answers; null: nothing, ever. */
export type Reply = { readonly status: number; readonly headers?: Readonly<Record<string, string>> } | null;

/** A receiver of notifications: a real HTTP server that keeps what it gets, and answers as it is told. */
export class Receiver {
  readonly received: Received[] = [];
  /** What it answers; by default that all is well. */
  reply: (request: Received) => Reply | Promise<Reply> = () => ({ status: 200 });
  readonly #port: number;
  #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port; // of a server that listens on a port
    this.#serve();
  }

  static async open(): Promise<Receiver> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Receiver(server);
  }

  url(path = '/'): string {
    return `http://127.0.0.1:${this.#port}${path}`;
  }

  /** Nobody listens any more; its port stays in mind. */
  async down(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async up(): Promise<void> {
    this.#server = createServer().listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#serve();
  }

  #serve(): void {
    this.#server.on('request', (request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (part: string) => (body += part));
      request.on('end', () => {
        const one = { path: request.url ?? '', headers: request.headers, body, at: Date.now() };
        this.received.push(one);
        void Promise.resolve(this.reply(one)).then((reply) => {
          if (reply !== null) response.writeHead(reply.status, reply.headers).end('ok');
        });
      });
    });
  }
}
