import { ApplicationFailure } from '@temporalio/common';
import type { Coordinator, QueryCount } from '../../contracts/running.ts';
import { ask, type Answer } from './ask.ts';

/** For so long after its end the last page of a query may still be fetched, ms. */
const lastPageMs = 3_000;
const ended = new Set(['FINISHED', 'FAILED']);
const manager = '/v1/jmx/mbean/trino.execution:name=QueryManager';
const gauges = new Set(['QueuedQueries', 'RunningQueries', 'FinishingQueries']);

/**
 * Queries that a coordinator has not ended. It tells a user only of queries that the user may see; where its own gauges say
 * more, they count.
 */
export async function countQueries(coordinator: Coordinator): Promise<QueryCount> {
  try {
    // the gauges first: what ends in between is not taken for hidden
    const counted = gaugesOf(await ask(coordinator, manager));
    const listed = listedIn(await ask(coordinator, '/v1/query'));
    if (typeof listed === 'string') return blind(`${coordinator.name}: ${listed}`);
    return { running: Math.max(listed, counted ?? 0), blindBecause: null };
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
    return blind(error.message);
  }
}

const blind = (because: string): QueryCount => ({ running: null, blindBecause: because });

/** How many there are; in words why that can't be said. */
function listedIn({ status, body, at }: Answer): number | string {
  if (status !== 200) return `HTTP status ${status} instead of a list of queries`;
  const queries = parse(body);
  if (!Array.isArray(queries)) return 'no list of queries';
  return queries.filter((query) => isRunning(query, at ?? Date.now())).length;
}

function isRunning(query: unknown, now: number): boolean {
  // each member is looked at; what says nothing of its end has not ended
  const { state, queryStats } = (query ?? {}) as { state?: unknown; queryStats?: { endTime?: unknown } };
  if (typeof state !== 'string' || !ended.has(state)) return true;
  const endedAt = typeof queryStats?.endTime === 'string' ? Date.parse(queryStats.endTime) : Number.NaN;
  return now - endedAt < lastPageMs;
}

/** What it counts itself; null: it does not say that to everybody. */
function gaugesOf({ status, body }: Answer): number | null {
  if (status !== 200) return null;
  const bean = parse(body) as { attributes?: unknown } | null; // its one member is looked at
  if (!Array.isArray(bean?.attributes)) return null;
  return bean.attributes
    .map((attribute) => attribute as { name?: unknown; value?: unknown }) // both are looked at
    .filter(({ name }) => typeof name === 'string' && gauges.has(name))
    .reduce((sum, { value }) => sum + (typeof value === 'number' ? value : 0), 0);
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
