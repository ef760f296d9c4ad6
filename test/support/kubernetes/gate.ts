import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { ClusterAccess } from '../../../tools/kubernetes/kubeconfig.ts';

/** A way to an API server that can be shut: to who comes by it the server is down, and to nobody else. */
export class Gate {
  /** Access by this way; the certificate of the server holds for it. */
  readonly access: ClusterAccess;
  readonly #port: number;
  readonly #open: (socket: Socket) => void;
  readonly #sockets: Set<Socket>;
  #listener: Server;

  private constructor(access: ClusterAccess, listener: Server, open: (socket: Socket) => void, sockets: Set<Socket>) {
    this.#listener = listener;
    this.#open = open;
    this.#sockets = sockets;
    this.#port = (listener.address() as AddressInfo).port; // it listens on TCP
    this.access = { ...access, url: `https://127.0.0.1:${this.#port}` };
  }

  static async to(access: ClusterAccess): Promise<Gate> {
    const { hostname, port } = new URL(access.url);
    const sockets = new Set<Socket>();
    const open = (client: Socket): void => {
      const server = connect(Number(port), hostname);
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        sockets.add(from);
        from.pipe(to);
        from.on('error', () => to.destroy());
        from.on('close', () => {
          sockets.delete(from);
          to.destroy();
        });
      }
    };
    return new Gate(access, await listen(0, open), open, sockets);
  }

  /** Cuts what is open and refuses what comes. */
  async shut(): Promise<void> {
    const closed = once(this.#listener, 'close');
    this.#listener.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async reopen(): Promise<void> {
    this.#listener = await listen(this.#port, this.#open);
  }
}

async function listen(port: number, open: (socket: Socket) => void): Promise<Server> {
  const listener = createServer(open);
  listener.listen(port, '127.0.0.1');
  await once(listener, 'listening');
  return listener;
}
