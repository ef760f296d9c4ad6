import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
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
  let asked = 0;
  let draining = false;
  const respond = async (response: ServerResponse): Promise<void> => {
    const failures = Math.floor((asked + 1) * behaviour.failRate) - Math.floor(asked * behaviour.failRate);
    const before = asked;
    asked += 1;
    if (behaviour.latencyMs > 0) await sleep(behaviour.latencyMs);
    if (draining) response.setHeader('connection', 'close');
    response.writeHead(failures > 0 ? 500 : 200, { 'content-type': 'application/json' });
    const { version, answer, counts } = behaviour;
    response.end(JSON.stringify({ version, pod, ...(counts ? { asked: before } : {}), ...answer }));
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
