import type { Counts } from './request-messages.ts';
import { sendRequests, type Requests } from './requests.ts';

/** Sends requests all the time that the work takes, and answers what has come of them; ends them however it ends. */
export async function underLoad(
  url: string,
  perSecond: number,
  work: (requests: Requests) => Promise<unknown>,
): Promise<Counts> {
  const requests = await sendRequests({ url, connections: 32, perSecond });
  try {
    await work(requests);
    return await requests.stop();
  } finally {
    await requests.end();
  }
}

/** What counts say when nothing was lost. */
export const nothingLost = { failed: {}, lost: 0, underWay: 0, trouble: null };
