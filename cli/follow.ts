import { setTimeout as sleep } from 'node:timers/promises';
import type { DeploymentView } from '../contracts/api.ts';
import type { Client, StreamItem } from './client.ts';
import { ApiProblem, isPassing } from './failure.ts';

/** How to stay with a deployment. */
export interface FollowOptions {
  /** The longest time between two looks, ms, even when nothing changes. */
  readonly everyMs: number;
  readonly signal: AbortSignal;
  /** Told once when the service stops answering, and again when it is back. */
  readonly note: (text: string) => void;
}

/** How long the service may be away before following it is given up, ms. */
const patienceMs = 300_000;

/** The deployment as it is now, and again whenever it changes or `everyMs` have passed. The caller ends it. */
export async function* follow(client: Client, id: string, options: FollowOptions): AsyncGenerator<DeploymentView> {
  const { everyMs, signal } = options;
  let view = await persistently(options, () => client.show(id, undefined, signal));
  for (;;) {
    yield view;
    const startedAt = Date.now();
    const known = view.seq;
    const wait = {
      seconds: Math.ceil(everyMs / 1_000),
      for: 'change',
      ...(known === undefined ? {} : { after: known }),
    };
    view = await persistently(options, () => client.show(id, wait, signal));
    // An answer that came at once with nothing new must not turn this into a busy loop.
    if (view.seq === known)
      await sleep(Math.max(0, Math.min(everyMs, 1_000) - (Date.now() - startedAt)), undefined, { signal });
  }
}

/** All that happens to a deployment from event `after` on; a broken connection is taken up again where it broke. */
export async function* followEvents(
  client: Client,
  id: string,
  after: number,
  options: Pick<FollowOptions, 'signal' | 'note'>,
): AsyncGenerator<StreamItem> {
  let last = after;
  for (;;) {
    const stream = await persistently(options, () => opened(client.events(id, last, options.signal)));
    for await (const item of untilBroken(stream, options.signal)) {
      yield item;
      if (item.type === 'event') last = item.event.seq;
    }
    const { status, seq = last } = await persistently(options, () => client.show(id, undefined, options.signal));
    if (status.progress.outcome !== null && seq <= last) return;
    await sleep(500, undefined, { signal: options.signal });
  }
}

/** A connection that breaks ends the stream like any other; we come back for the rest. */
async function* untilBroken(stream: AsyncGenerator<StreamItem>, signal: AbortSignal): AsyncGenerator<StreamItem> {
  try {
    yield* stream;
  } catch (error) {
    if (signal.aborted || error instanceof ApiProblem) throw error;
  }
}

/** The first item decides whether the stream could be opened. */
async function opened(stream: AsyncGenerator<StreamItem>): Promise<AsyncGenerator<StreamItem>> {
  const first = await stream.next();
  return (async function* () {
    if (first.done !== true) yield first.value;
    yield* stream;
  })();
}

/** Asks until there is an answer: a deployment outlives a restart of the service, and so should who watches it. */
async function persistently<T>(
  { signal, note }: Pick<FollowOptions, 'signal' | 'note'>,
  ask: () => Promise<T>,
): Promise<T> {
  const startedAt = Date.now();
  for (let tries = 0; ; tries++) {
    try {
      const answer = await ask();
      if (tries > 0) note('the service answers again');
      return answer;
    } catch (error) {
      const patient = !signal.aborted && Date.now() - startedAt < patienceMs;
      if (!patient || !isPassing(error)) throw error;
      if (tries === 0) note(`${error.message}; trying again`);
      await sleep(Math.min(5_000, 250 * 2 ** tries), undefined, { signal });
    }
  }
}
