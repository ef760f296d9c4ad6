import { activityInfo, cancelled, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WatchFacts, WatchInput } from '../../contracts/activities.ts';
import type { Probe } from '../../contracts/gate.ts';
import type { ModelQuestion, ModelState } from '../../contracts/model.ts';
import type { RouteState } from '../../contracts/route.ts';
import type { WorkloadRef } from '../../contracts/workload.ts';
import { lookObject } from '../kubernetes/look-object.ts';
import { readObject } from '../kubernetes/objects.ts';
import type { FindMetrics } from '../metrics/index.ts';
import { readComparisons } from '../metrics/comparisons.ts';
import { readWindows, type SeenWindows } from '../metrics/windows.ts';
import { lookAfter } from './look-after.ts';
import type { RouterContext } from './router.ts';

/** What the looks are made with: who is ready, the route, with its object read in that way, and the sources of a gate. */
interface Sources {
  readonly readyPods: (of: WorkloadRef) => Promise<number>;
  readonly read: (read: RouterContext['read']) => Promise<RouteState>;
  readonly model: (question: ModelQuestion) => Promise<ModelState>;
  readonly metrics: FindMetrics;
  readonly probe: (probe: Probe) => Promise<string | null>;
}

/**
 * Waits, and then looks at the route and at the latest windows of the gate; keeps no worker that is asked to end.
 * Dependencies are looked at while it waits, and news of one of them end the waiting.
 */
export async function watchTraffic(sources: Sources, input: WatchInput): Promise<WatchFacts> {
  const { gate, waitMs, weight, dependencies } = input;
  const since = input.since + aheadMs();
  // a source that is slow to answer is no dead worker
  const beat = setInterval(() => heartbeat(), 1_000);
  const over = new AbortController();
  try {
    const waited = dependencies === undefined ? wait(waitMs) : lookAfter(dependencies, waitMs, sources.probe, over);
    const answers = await Promise.race([waited, cancelled()]);
    const [route, windows, ready, compared, model] = await Promise.all([
      look(sources, weight),
      gate === null ? noGate : readWindows(gate, since, sources.metrics),
      readyOf(sources, input),
      comparedOf(sources, input, since),
      modelOf(sources, input),
    ]);
    return { route, ...windows, ...ready, ...(answers === undefined ? {} : { answers }), ...compared, ...model };
  } finally {
    over.abort();
    clearInterval(beat);
  }
}

async function wait(ms: number): Promise<undefined> {
  if (ms > 0) await sleep(ms, undefined, { ref: false });
}

/**
 * By how much our clock is ahead of Temporal's, whose moments a plan goes by, ms, whole seconds; asked of the attempt
 * that begins just now. An attempt that was late to begin counts as ahead: then windows begin later, and never earlier.
 */
const aheadMs = (): number =>
  Math.round((Date.now() - activityInfo().currentAttemptScheduledTimestampMs) / 1_000) * 1_000;

/** What a watch tells may be of before our own write: nobody is told to have changed a route by that alone. */
async function look({ read }: Sources, weight: number | undefined): Promise<RouteState> {
  const state = await read(async (cluster, ref) => (await lookObject<never>(cluster, ref)).object);
  return state.weight === weight ? state : read(readObject);
}

async function readyOf({ readyPods }: Sources, { workload }: WatchInput): Promise<Pick<WatchFacts, 'readyPods'>> {
  return workload === undefined ? {} : { readyPods: await readyPods(workload) };
}

async function comparedOf(
  { metrics }: Sources,
  { gate }: WatchInput,
  since: number,
): Promise<Pick<WatchFacts, 'compared'>> {
  if (gate?.compares === undefined) return {};
  return { compared: await readComparisons(gate, gate.compares, since, metrics) };
}

/** A registry that is away keeps nobody from looking at the traffic. */
async function modelOf(sources: Sources, { model }: WatchInput): Promise<Pick<WatchFacts, 'model'>> {
  if (model === undefined) return {};
  try {
    return { model: await sources.model(model) };
  } catch (error) {
    if (error instanceof ApplicationFailure && away.has(error.type ?? '')) return { model: null };
    throw error;
  }
}

const away: ReadonlySet<string> = new Set(['TARGET_UNREACHABLE', 'TARGET_BUSY']);

const noGate: SeenWindows = { windows: [], blindBecause: null };
