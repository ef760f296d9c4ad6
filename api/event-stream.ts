import type { LiveProgress } from '../contracts/events.ts';
import { isLedgerFailure, type KeptEvent } from '../ledger/index.ts';
import type { RouteDependencies } from './deps.ts';

/** How the stream behaves; times in ms. */
export interface StreamOptions {
  readonly id: string;
  /** Number of the last event that the client has. */
  readonly after: number;
  /** Fires when nobody listens any more. */
  readonly signal: AbortSignal;
  readonly heartbeatMs?: number;
}

const batch = 200;
/** How soon a missing event is looked for again. */
const gapMs = 500;
/** How long an event may be missing while later ones are there, before the stream goes on without it. */
const gapLimitMs = 30_000;

/** What has been sent. */
interface Sent {
  readonly seq: number;
  readonly liveAt: number | null;
}

/**
 * A deployment's events as server-sent events: in order, none twice, none left out, and to the end. The number of each
 * is its id, so that a client that comes back says where it was. Live progress goes in between, without an id.
 */
export async function* eventStream(
  deps: Pick<RouteDependencies, 'reader' | 'watch'>,
  { id, after, signal, heartbeatMs = 15_000 }: StreamOptions,
): AsyncGenerator<string> {
  yield 'retry: 1000\n\n';
  let sent: Sent = { seq: after, liveAt: null };
  while (!signal.aborted) {
    const news = await look(deps.reader, id, sent).catch(patience);
    yield* messagesOf(news);
    if (hasEnded(news)) return;
    sent = sentWith(sent, news);
    if (news.events.length === batch) continue;
    if (await isQuiet(deps.watch, id, sent, news.seq, heartbeatMs, signal)) yield ': alive\n\n';
  }
}

const hasEnded = ({ events }: News): boolean => events.at(-1)?.event.kind === 'ended';
const sentWith = ({ seq, liveAt }: Sent, { events, live }: News): Sent => ({
  seq: events.at(-1)?.event.seq ?? seq,
  liveAt: live?.at ?? liveAt,
});

function* messagesOf({ events, live }: News): Generator<string> {
  for (const { event } of events) {
    yield `id: ${event.seq}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`;
  }
  if (live !== null) yield `event: progress\ndata: ${JSON.stringify(live)}\n\n`;
}

/** Waits for news; true when there were none for so long that the client should hear that we are still here. */
async function isQuiet(
  watch: RouteDependencies['watch'],
  id: string,
  sent: Sent,
  kept: number,
  heartbeatMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const ms = kept > sent.seq ? gapMs : heartbeatMs;
  const began = Date.now();
  await watch.changed(id, { seq: kept, liveAt: sent.liveAt }, ms, signal);
  return Date.now() - began >= heartbeatMs;
}

interface News {
  readonly events: readonly KeptEvent[];
  /** Null: nothing new. */
  readonly live: LiveProgress | null;
  /** Number of the last event that the ledger has. */
  readonly seq: number;
}

async function look(reader: RouteDependencies['reader'], id: string, sent: Sent): Promise<News> {
  // Live progress is read first: what it says can't be newer than the events that follow it.
  const kept = await reader.find(id);
  const events = inOrder(await reader.events(id, sent.seq, batch), sent.seq, Date.now());
  const live = kept?.live ?? null;
  return { events, live: live !== null && live.at !== sent.liveAt ? live : null, seq: kept?.seq ?? sent.seq };
}

/** A ledger that is away for a while ends no stream: the client would only come back to the same. */
function patience(error: unknown): News {
  if (isLedgerFailure(error)) return { events: [], live: null, seq: Number.MAX_SAFE_INTEGER };
  throw error;
}

/** The events up to the first gap: an entry that is late must not make its events be passed over. */
export function inOrder(events: readonly KeptEvent[], after: number, now: number): readonly KeptEvent[] {
  let last = after;
  const gap = events.findIndex(({ event, recordedAt }) => {
    const isGap = event.seq !== last + 1 && event.kind !== 'rebuilt' && now - recordedAt < gapLimitMs;
    last = event.seq;
    return isGap;
  });
  return gap < 0 ? events : events.slice(0, gap);
}
