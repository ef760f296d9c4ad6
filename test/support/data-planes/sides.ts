import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** The two sides of a split. */
export const sideNames = ['stable', 'candidate'] as const;
export type Side = (typeof sideNames)[number];

/** Which service is on which side. Without a candidate all requests go to stable. */
export interface Sides {
  readonly stable: string;
  readonly candidate?: string;
}

/** A proxy that runs in front of services of the cluster. */
export interface DataPlane {
  /** `http://host:port`, where an application would send its requests. */
  readonly url: string;
  /** It is away until `up`: requests are refused. */
  readonly down: () => Promise<void>;
  /** It is there again, and routes. */
  readonly up: () => Promise<void>;
  /** Ends it, and leaves nothing of it in the cluster. */
  readonly stop: () => Promise<void>;
}

const withinMs = 30_000;

/** Waits until a proxy passes requests on; a ready pod has to be there. */
export async function untilItRoutes(url: string): Promise<void> {
  const until = Date.now() + withinMs;
  for (;;) {
    const status = await statusOf(url);
    if (status === 200) return;
    if (Date.now() > until) throw new Error(`${url} answers ${status} after ${withinMs / 1000} s`);
    await sleep(30);
  }
}

/** 0: no answer. */
function statusOf(url: string): Promise<number> {
  return new Promise((resolve) => {
    const asked = get(url, { agent: false, timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => {
      resolve(0);
    });
  });
}
