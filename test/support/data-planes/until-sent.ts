import { setTimeout as sleep } from 'node:timers/promises';
import type { Requests } from './requests.ts';

/** Waits until so many have been sent in all. Fails when they come too slowly. */
export async function untilSent(requests: Requests, many: number): Promise<void> {
  const until = Date.now() + withinMs;
  while ((await requests.counts()).sent < many) {
    if (Date.now() > until) throw new Error(`fewer than ${many} requests were sent within ${withinMs / 1_000} s`);
    await sleep(50);
  }
}

const withinMs = 180_000;
