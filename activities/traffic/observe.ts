import { cancelled, heartbeat } from '@temporalio/activity';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Seen, SeenShare } from '../../contracts/route.ts';
import { failure } from '../failures.ts';
import type { FindMetrics } from '../metrics/index.ts';
import { askPrometheus } from '../metrics/prometheus-query.ts';

type ByRequests = Extract<Seen, { readonly by: 'requests' }>;

type ByMetrics = Extract<Seen, { readonly by: 'metrics' }>;

/** At the same time. */
const lanes = 8;
/** How long one request may take, ms. */
const patienceMs = 5_000;

/** Asks through the route, and counts which side has answered; an error has been answered by neither. */
export async function observeRequests(seen: ByRequests): Promise<SeenShare> {
  const share = { candidate: 0, stable: 0, unknown: 0 };
  let left = seen.requests;
  const lane = async (): Promise<void> => {
    while (left-- > 0) share[await sideOf(seen)] += 1;
  };
  const beat = setInterval(() => heartbeat(), 1_000);
  try {
    await Promise.race([Promise.all(Array.from({ length: lanes }, lane)), cancelled()]);
    return share;
  } finally {
    left = 0;
    clearInterval(beat);
  }
}

/** Long enough for a source that is fed every few seconds, ms. */
const countMs = 20_000;

/**
 * How much the counters of both sides grow meanwhile. Where one of them is not measured nothing can be said of either:
 * what was seen is unknown. Throws TARGET_UNKNOWN for a source that is not in the configuration.
 */
export async function observeMetrics(seen: ByMetrics, metrics: FindMetrics, overMs = countMs): Promise<SeenShare> {
  const source = metrics(seen.source);
  if (source === null) throw failure('TARGET_UNKNOWN', `the worker knows no metrics source ${seen.source}`);
  const count = async (query: string): Promise<number | null> => (await askPrometheus(source, query)).value;
  const both = () => Promise.all([count(seen.candidate), count(seen.stable)]);
  const beat = setInterval(() => heartbeat(), 1_000);
  try {
    const before = await both();
    await Promise.race([sleep(overMs, undefined, { ref: false }), cancelled()]);
    const after = await both();
    return shareOf(grown(before[0], after[0]), grown(before[1], after[1]));
  } finally {
    clearInterval(beat);
  }
}

const shareOf = (candidate: number | null, stable: number | null): SeenShare =>
  candidate === null || stable === null
    ? { candidate: 0, stable: 0, unknown: Math.max(1, (candidate ?? 0) + (stable ?? 0)) }
    : { candidate, stable, unknown: 0 };

/** Null: not measured. A counter that goes back was begun anew, and what it counted meanwhile is not known. */
const grown = (before: number | null, after: number | null): number | null =>
  before === null || after === null || after < before ? null : Math.round(after - before);

async function sideOf({ url, at, candidate }: ByRequests): Promise<keyof SeenShare> {
  try {
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(patienceMs) });
    const value = 'header' in at ? await headerOf(response, at.header) : memberAt(await response.json(), at.json);
    if (typeof value !== 'string') return 'unknown';
    return value === candidate ? 'candidate' : 'stable';
  } catch {
    return 'unknown';
  }
}

async function headerOf(response: Response, name: string): Promise<string | null> {
  await response.arrayBuffer();
  return response.headers.get(name);
}

/** What a JSON pointer (RFC 6901) points to; undefined: nothing. */
function memberAt(value: unknown, pointer: string): unknown {
  let at = value;
  for (const part of pointer.split('/').slice(1)) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = new Map<string, unknown>(Object.entries(at)).get(part.replaceAll('~1', '/').replaceAll('~0', '~'));
  }
  return at;
}
