import { setTimeout as sleep } from 'node:timers/promises';
import { ToolFailure } from '../tool-failure.ts';
import { lastWords, type Launched } from './launch.ts';
import { stopPid } from './stop.ts';

/** Asks a server until it says that it is ready. Fails with one line, and leaves nothing running, when it ends or takes longer. */
export async function untilReady(
  server: Launched,
  name: string,
  ready: () => Promise<boolean>,
  withinMs = 20_000,
): Promise<void> {
  const until = Date.now() + withinMs;
  while (Date.now() < until) {
    if (server.exitCode !== null || server.signalCode !== null) {
      throw new ToolFailure(`${name} did not start: ${await lastWords(server)}`);
    }
    if (await ready()) return;
    await sleep(30);
  }
  await stopPid(server.pid);
  throw new ToolFailure(`${name} was not ready within ${withinMs / 1000} s: ${await lastWords(server)}`);
}
