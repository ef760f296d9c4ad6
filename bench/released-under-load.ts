import type { Counts } from '../test/support/data-planes/request-messages.ts';
import { sendRequests } from '../test/support/data-planes/requests.ts';

/** What one release took and cost. */
export interface Released {
  /** Until whoever ordered it was told that it is done, seconds. */
  readonly seconds: number;
  /** Requests that nobody answered, or with an error, until the pods that went were gone. */
  readonly lost: number;
  readonly sent: number;
}

/** How many requests a second come meanwhile, at most, and by how many connections. */
export const load = { perSecond: 500, connections: 16 } as const;

/** Does a release while requests come; they go on until what is left of the old pods is gone. */
export async function releasedUnderLoad(
  url: string,
  release: () => Promise<void>,
  settled: () => Promise<unknown>,
): Promise<Released> {
  const requests = await sendRequests({ url, ...load });
  try {
    const began = performance.now();
    await release();
    const seconds = (performance.now() - began) / 1_000;
    await settled();
    const counts = await requests.stop();
    return { seconds, lost: lostOf(counts), sent: counts.sent };
  } finally {
    await requests.end();
  }
}

const lostOf = ({ failed, lost }: Counts): number => Object.values(failed).reduce((sum, count) => sum + count, lost);
