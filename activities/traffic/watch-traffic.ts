import { cancelled, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WatchFacts, WatchInput } from '../../contracts/activities.ts';
import type { ModelQuestion, ModelState } from '../../contracts/model.ts';
import type { RouteState } from '../../contracts/route.ts';
import { lookObject } from '../kubernetes/look-object.ts';
import { readObject } from '../kubernetes/objects.ts';
import type { FindMetrics } from '../metrics/index.ts';
import { readComparisons } from '../metrics/comparisons.ts';
import { readWindows, type SeenWindows } from '../metrics/windows.ts';
import type { RouterContext } from './router.ts';

/** What the looks are made with: the route, with its object read in that way, and the sources of a gate. */
interface Sources {
  readonly read: (read: RouterContext['read']) => Promise<RouteState>;
  readonly model: (question: ModelQuestion) => Promise<ModelState>;
  readonly metrics: FindMetrics;
}

/** Waits, and then looks at the route and at the latest windows of the gate; keeps no worker that is asked to end. */
export async function watchTraffic(sources: Sources, input: WatchInput): Promise<WatchFacts> {
  const { gate, since, waitMs, weight, model } = input;
  // a source that is slow to answer is no dead worker
  const beat = setInterval(() => heartbeat(), 1_000);
  try {
    if (waitMs > 0) await Promise.race([sleep(waitMs, undefined, { ref: false }), cancelled()]);
    const [route, seen, compared, state] = await Promise.all([
      look(sources, weight),
      gate === null ? noGate : readWindows(gate, since, sources.metrics),
      gate?.compares === undefined ? undefined : readComparisons(gate, gate.compares, since, sources.metrics),
      model === undefined ? undefined : stateOf(sources, model),
    ]);
    return {
      route,
      ...seen,
      ...(compared === undefined ? {} : { compared }),
      ...(state === undefined ? {} : { model: state }),
    };
  } finally {
    clearInterval(beat);
  }
}

/** What a watch tells may be of before our own write: nobody is told to have changed a route by that alone. */
async function look({ read }: Sources, weight: number | undefined): Promise<RouteState> {
  const state = await read(async (cluster, ref) => (await lookObject<never>(cluster, ref)).object);
  return state.weight === weight ? state : read(readObject);
}

/** A registry that is away keeps nobody from looking at the traffic. */
const stateOf = (sources: Sources, question: ModelQuestion): Promise<ModelState | null> =>
  sources.model(question).catch((error: unknown) => {
    if (error instanceof ApplicationFailure && away.has(error.type ?? '')) return null;
    throw error;
  });

const away: ReadonlySet<string> = new Set(['TARGET_UNREACHABLE', 'TARGET_BUSY']);

const noGate: SeenWindows = { windows: [], blindBecause: null };
