import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
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
