import type { Progress, Traffic } from '../contracts/progress.ts';
import type { RouteState, SeenShare } from '../contracts/route.ts';

/** How often somebody else's change of a route is put right before a person is called. */
export const mostRepairs = 3;

const nothing: Traffic = { weight: 0, seen: null, requests: null, since: null, repairs: 0, lookedAt: 0 };

/** The route was read. */
export const routed = (progress: Progress, { weight }: RouteState, now: number): Progress =>
  traffic(progress, { weight, lookedAt: now });

/** Requests were counted. */
export const counted = (progress: Progress, { candidate, stable }: SeenShare, now: number): Progress => {
  const requests = candidate + stable;
  return traffic(progress, { seen: requests === 0 ? null : candidate / requests, requests, lookedAt: now });
};

/** Somebody else had written the route, and it was put right. */
export const repaired = (progress: Progress): Progress =>
  traffic(progress, { repairs: (progress.traffic ?? nothing).repairs + 1 });

/** It is being moved: from here on changes by others are counted anew. */
export const moving = (progress: Progress): Progress => traffic(progress, { repairs: 0, since: null });

/** It is where it should be. */
export const inPlace = (progress: Progress, now: number): Progress =>
  traffic(progress, { since: now, blind: null, heldSince: null });

/** The checks were asked: why there is no data, or null; and whether they hold a step whose time is over. */
export function looked(progress: Progress, because: string | null, isOverdue: boolean, now: number): Progress {
  const { blind, heldSince } = progress.traffic ?? nothing;
  return traffic(progress, {
    blind: because === null ? null : { since: blind?.since ?? now, because },
    heldSince: because === null && isOverdue ? (heldSince ?? now) : null,
  });
}

/** A person is called: who says to go on is not called again at once. */
export const called = (progress: Progress): Progress => traffic(progress, { blind: null, heldSince: null });

/** Why its checks had no data when they were asked last, or null; since when they hold it, for this or beyond its time. */
export function doubtOf({ traffic }: Progress): { blind: NonNullable<Traffic['blind']> | null; since: number } {
  const { blind = null, heldSince = null } = traffic ?? nothing;
  return { blind, since: blind?.since ?? heldSince ?? Infinity };
}

/** Whether it was put right as often as is reasonable. */
export const isContended = ({ traffic: { repairs } = nothing }: Progress): boolean => repairs >= mostRepairs;

const traffic = (progress: Progress, change: Partial<Traffic>): Progress => ({
  ...progress,
  traffic: { ...(progress.traffic ?? nothing), ...change },
});
