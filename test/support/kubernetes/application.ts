import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, createServer as createTcpServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Behaviour } from './behaviour.ts';
import { RequestFigures } from './request-figures.ts';

/** The HTTP server of one pod, at an address of its own. */
export interface Application {
  /** From now on each answer tells its client to come back on another connection. */
  readonly drain: () => void;
  /** Cuts what is open and refuses what comes. */
  readonly stop: () => void;
}

/** What a pod wants of its application besides answers. */
export interface Wishes {
  readonly pod: string;
  readonly behaviour: Behaviour;
  /** It was asked to crash (`/crash`). */
  readonly crashed: () => void;
}

/**
 * Listens and behaves as told; an answer is `{"version","pod"}`, with the version in `x-version` too. What has come of
 * its requests is at `/metrics`.
 */
export async function startApplication(
  host: string,
  port: number,
  { pod, behaviour, crashed }: Wishes,
): Promise<Application> {
  if (behaviour.refuses) return { drain: () => undefined, stop: () => undefined };
  if (behaviour.forwardsTo !== null) return forward(host, port, behaviour.forwardsTo);
  const figures = new RequestFigures();
  let asked = 0;
  let draining = false;
  const respond = async (response: ServerResponse): Promise<void> => {
    const failures = Math.floor((asked + 1) * behaviour.failRate) - Math.floor(asked * behaviour.failRate);
    const before = asked;
    asked += 1;
    const began = performance.now();
    if (behaviour.latencyMs > 0) await sleep(behaviour.latencyMs);
    if (draining) response.setHeader('connection', 'close');
    const status = failures > 0 ? 500 : 200;
    figures.count(status, performance.now() - began);
    const { version, answer, counts } = behaviour;
    response.writeHead(status, { 'content-type': 'application/json', 'x-version': version });
    response.end(JSON.stringify({ version, pod, ...(counts ? { asked: before } : {}), ...answer }));
  };
  const server = createServer((request, response) => {
    request.resume();
    if (request.url === '/metrics') response.end(figures.text());
    else if (request.url === '/crash') crashed();
    else void respond(response);
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
