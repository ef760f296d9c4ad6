import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, createServer as createTcpServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Behaviour } from './behaviour.ts';

/** The HTTP server of one pod, at an address of its own. */
export interface Application {
  /** From now on each answer tells its client to come back on another connection. */
  readonly drain: () => void;
  /** Cuts what is open and refuses what comes. */
  readonly stop: () => void;
}

/** Listens and behaves as told; an answer is `{"version","pod"}`. */
export async function startApplication(
  host: string,
  port: number,
  pod: string,
  behaviour: Behaviour,
): Promise<Application> {
  if (behaviour.refuses) return { drain: () => undefined, stop: () => undefined };
  if (behaviour.forwardsTo !== null) return forward(host, port, behaviour.forwardsTo);
  let asked = 0;
  let draining = false;
  const respond = async (response: ServerResponse): Promise<void> => {
    const failures = Math.floor((asked + 1) * behaviour.failRate) - Math.floor(asked * behaviour.failRate);
    asked += 1;
    if (behaviour.latencyMs > 0) await sleep(behaviour.latencyMs);
    if (draining) response.setHeader('connection', 'close');
    response.writeHead(failures > 0 ? 500 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ version: behaviour.version, pod }));
  };
  const server = createServer((request, response) => {
    request.resume();
    void respond(response);
  });
  // longer than any proxy keeps a connection that rests, as their manuals ask for: it is for them to close it
  server.keepAliveTimeout = 120_000;
  server.listen({ host, port, exclusive: true });
  await once(server, 'listening');
  return {
    drain: () => {
      draining = true;
    },
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** What answers is a process of its own, as real as it is: the pod is only its address. */
async function forward(host: string, port: number, to: number): Promise<Application> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((client) => {
    const process = connect(to, '127.0.0.1');
    for (const [from, into] of [
      [client, process],
      [process, client],
    ] as const) {
      sockets.add(from);
      from.pipe(into);
      from.on('error', () => into.destroy());
      from.on('close', () => {
        sockets.delete(from);
        into.destroy();
      });
    }
  });
  server.listen({ host, port, exclusive: true });
  await once(server, 'listening');
  return {
    // its connections are as they are: whoever drains it takes it out of the routes first
    drain: () => undefined,
    stop: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
