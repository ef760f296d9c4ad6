import { cancelled, heartbeat } from '@temporalio/activity';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Coordinator, QueryCount } from '../../contracts/running.ts';
import { countQueries } from './count-queries.ts';

const everyMs = 1_000;

/** Counts until there is no query, or the slice of time is over; the last count. */
export async function followQueries({
  coordinator,
  sliceMs,
}: {
  readonly coordinator: Coordinator;
  readonly sliceMs: number;
}): Promise<QueryCount> {
  const until = Date.now() + sliceMs;
  const beat = setInterval(() => {
    heartbeat();
  }, everyMs);
  try {
    for (;;) {
      const count = await Promise.race([countQueries(coordinator), cancelled()]);
      if (count.running === 0 || Date.now() >= until) return count;
      // keeps no worker that is asked to end
      await Promise.race([sleep(Math.min(everyMs, until - Date.now()), undefined, { ref: false }), cancelled()]);
    }
  } finally {
    clearInterval(beat);
  }
}
