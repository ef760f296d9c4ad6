import { cancelled, heartbeat } from '@temporalio/activity';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WatchFacts, WatchInput } from '../../contracts/activities.ts';
import type { RouteState } from '../../contracts/route.ts';
import type { FindMetrics } from '../metrics/index.ts';
import { readWindows } from '../metrics/windows.ts';

/** Waits, and then looks at the route and at the latest windows of the gate. */
export async function watchTraffic(
  { read, metrics }: { readonly read: () => Promise<RouteState>; readonly metrics: FindMetrics },
  { gate, since, waitMs }: WatchInput,
): Promise<WatchFacts> {
  await beating(waitMs);
  const [route, seen] = await Promise.all([
    read(),
    gate === null ? { windows: [], blindBecause: null } : readWindows(gate, since, metrics),
  ]);
  return { route, ...seen };
}

/** Waits, and keeps no worker that is asked to end. */
async function beating(ms: number): Promise<void> {
  const beat = setInterval(() => heartbeat(), 1_000);
  try {
    if (ms > 0) await Promise.race([sleep(ms, undefined, { ref: false }), cancelled()]);
  } finally {
    clearInterval(beat);
  }
}
