import { activityInfo, cancelled, heartbeat } from '@temporalio/activity';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WatchFacts, WatchInput } from '../../contracts/activities.ts';
import type { RouteState } from '../../contracts/route.ts';
import type { WorkloadRef } from '../../contracts/workload.ts';
import type { Cluster } from '../kubernetes/cluster.ts';
import { lookObject } from '../kubernetes/look-object.ts';
import { readObject } from '../kubernetes/objects.ts';
import type { Workload } from '../kubernetes/roll-status.ts';
import type { FindMetrics } from '../metrics/index.ts';
import { readWindows, type SeenWindows } from '../metrics/windows.ts';
import type { RouterContext } from './router.ts';

/** What the looks are made with: the cluster, the route, with its object read in that way, and the sources of a gate. */
interface Sources {
  readonly cluster: Cluster;
  readonly read: (read: RouterContext['read']) => Promise<RouteState>;
  readonly metrics: FindMetrics;
}

/** Waits, and then looks at the route and at the latest windows of the gate; keeps no worker that is asked to end. */
export async function watchTraffic(sources: Sources, input: WatchInput): Promise<WatchFacts> {
  const { gate, waitMs, weight, workload } = input;
  const since = input.since + aheadMs();
  // a source that is slow to answer is no dead worker
  const beat = setInterval(() => heartbeat(), 1_000);
  try {
    if (waitMs > 0) await Promise.race([sleep(waitMs, undefined, { ref: false }), cancelled()]);
    const [route, seen, side] = await Promise.all([
      look(sources, weight),
      gate === null ? noGate : readWindows(gate, since, sources.metrics),
      workload === undefined ? {} : readySide(sources.cluster, workload),
    ]);
    return { route, ...seen, ...side };
  } finally {
    clearInterval(beat);
  }
}

/**
 * By how much our clock is ahead of Temporal's, whose moments a plan goes by, ms, whole seconds; asked of the attempt
 * that begins just now. An attempt that was late to begin counts as ahead: then windows begin later, and never earlier.
 */
const aheadMs = (): number =>
  Math.round((Date.now() - activityInfo().currentAttemptScheduledTimestampMs) / 1_000) * 1_000;

/** What a watch tells may be of a moment ago: that no pod is ready is read once more. */
async function readySide(cluster: Cluster, { kind, namespace, name }: WorkloadRef): Promise<{ readyPods: number }> {
  const ref = { kind, namespace, name };
  const watched = readyOf((await lookObject<Workload>(cluster, ref)).object);
  return { readyPods: watched > 0 ? watched : readyOf(await readObject<Workload>(cluster, ref)) };
}

const readyOf = (found: Workload | null): number => found?.status?.readyReplicas ?? 0;

/** What a watch tells may be of before our own write: nobody is told to have changed a route by that alone. */
async function look({ read }: Sources, weight: number | undefined): Promise<RouteState> {
  const state = await read(async (cluster, ref) => (await lookObject<never>(cluster, ref)).object);
  return state.weight === weight ? state : read(readObject);
}

const noGate: SeenWindows = { windows: [], blindBecause: null };
