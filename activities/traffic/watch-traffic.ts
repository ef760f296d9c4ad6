import { cancelled, heartbeat } from '@temporalio/activity';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WatchFacts, WatchInput } from '../../contracts/activities.ts';
import type { RouteState } from '../../contracts/route.ts';
import type { FindMetrics } from '../metrics/index.ts';
import { readWindows, type SeenWindows } from '../metrics/windows.ts';

/** Waits, and then looks at the route and at the latest windows of the gate; keeps no worker that is asked to end. */
export async function watchTraffic(
  { read, metrics }: { readonly read: () => Promise<RouteState>; readonly metrics: FindMetrics },
  { gate, since, waitMs }: WatchInput,
): Promise<WatchFacts> {
  // a source that is slow to answer is no dead worker
  const beat = setInterval(() => heartbeat(), 1_000);
  try {
    if (waitMs > 0) await Promise.race([sleep(waitMs, undefined, { ref: false }), cancelled()]);
    const [route, seen] = await Promise.all([read(), gate === null ? noGate : readWindows(gate, since, metrics)]);
    return { route, ...seen };
  } finally {
    clearInterval(beat);
  }
}

const noGate: SeenWindows = { windows: [], blindBecause: null };
