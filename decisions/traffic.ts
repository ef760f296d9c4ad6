import type { ShiftStage } from '../contracts/plan.ts';
import type { Progress, Traffic } from '../contracts/progress.ts';
import type { RouteState, SeenShare } from '../contracts/route.ts';
import { areWellSince, breakersOf } from './breakers.ts';

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

/** What a look has found was put right: before the share may end, it is looked at again. */
export const unlooked = (progress: Progress): Progress =>
  traffic(progress, {
    lookedAt: Math.min((progress.traffic ?? nothing).lookedAt, (progress.deadline ?? Infinity) - 1),
  });

/** It is being moved: from here on changes by others are counted anew. */
export const moving = (progress: Progress): Progress => traffic(progress, { repairs: 0, since: null });

/** It is where it should be. */
export const inPlace = (progress: Progress, now: number): Progress =>
  traffic(progress, { since: now, blind: null, heldSince: null });

/** The share that was taken home is where the plan has it again. */
export const restored = (progress: Progress): Progress =>
  (progress.fallback ?? null) === null ? progress : { ...progress, fallback: null };

/** The checks were asked: why there is no data, or null; and whether they hold a step whose time is over. */
export function looked(progress: Progress, because: string | null, isOverdue: boolean, now: number): Progress {
  const { blind, heldSince } = progress.traffic ?? nothing;
  return traffic(progress, {
    blind: because === null ? null : { since: blind?.since ?? now, because },
    heldSince: because === null && isOverdue ? (heldSince ?? now) : null,
  });
}

/** Its side was looked at: whether any pod of it is ready. */
export const standing = (progress: Progress, isDead: boolean, now: number): Progress =>
  traffic(progress, { deadSince: isDead ? ((progress.traffic ?? nothing).deadSince ?? now) : null });

/** How long no pod has to be ready before that is no passing moment any more, ms. */
const deadForMs = 5_000;

/** Whether requests have gone to nobody for so long that the share has failed. */
export const isDead = ({ traffic: { deadSince = null } = nothing }: Progress, now: number): boolean =>
  deadSince !== null && now - deadSince >= deadForMs;

/** A person is called: who says to go on is not called again at once. */
export const called = (progress: Progress): Progress => traffic(progress, { blind: null, heldSince: null });

/** Why its checks had no data when they were asked last, or null; since when they hold it, for this or beyond its time. */
export function doubtOf({ traffic }: Progress): { blind: NonNullable<Traffic['blind']> | null; since: number } {
  const { blind = null, heldSince = null } = traffic ?? nothing;
  return { blind, since: blind?.since ?? heldSince ?? Infinity };
}

/** Whether it was put right as often as is reasonable. */
export const isContended = ({ traffic: { repairs } = nothing }: Progress): boolean => repairs >= mostRepairs;

/** Whoever tries a share again begins it anew: set, seen, and with its whole time. */
export const anew = (progress: Progress): Progress => ({ ...moving(progress), deadline: null });

/** Whether requests were seen on the side that a weight (whole percent on the candidate) leaves without any. */
export const isSeenElsewhere = ({ traffic: { seen } = nothing }: Progress, weight: number): boolean =>
  seen !== null && seen !== weight / 100;

/**
 * Whether a share may end: looked at since its time was over and not long ago, in place then, and well by all checks and
 * in all that it needs; without any checks, not held.
 */
export function mayEnd(
  stage: Pick<ShiftStage, 'gate' | 'weight' | 'everyMs' | 'dependencies' | 'part'>,
  { traffic = nothing, verdict, deadline, breakers = [] }: Progress,
  now: number,
): boolean {
  const end = deadline ?? Infinity;
  const isThere = isLookedAt(stage, traffic, end, now) && isInPlace(stage, traffic);
  return isThere && isWell(stage, verdict) && areWellSince(breakersOf(stage, { breakers }, now), end);
}

/** No check speaks against it, and none is silent; without any nothing holds it. */
const isWell = ({ gate }: Pick<ShiftStage, 'gate'>, verdict: Progress['verdict']): boolean =>
  gate === null ? verdict?.decision !== 'hold' : verdict?.decision === 'promote';

/** The route says it, and somebody is there to answer. */
const isInPlace = ({ weight }: Pick<ShiftStage, 'weight'>, traffic: Traffic): boolean =>
  traffic.weight === weight && (traffic.deadSince ?? null) === null;

/** The share was taken home for want of a dependency; how long it was to last, people's orders included, is kept. */
export function fallenBack(progress: Progress, forMs: number, now: number): Progress {
  const { deadline, traffic: { since } = nothing } = progress;
  const lasts = deadline === null || since === null ? forMs : Math.max(0, deadline - since);
  return { ...anew(progress), fallback: { since: now, forMs: lasts } };
}

/** What was seen before the end, or before a pause of the service, says nothing after it. */
const isLookedAt = (
  { gate, everyMs }: Pick<ShiftStage, 'gate' | 'everyMs'>,
  { lookedAt }: Traffic,
  deadline: number,
  now: number,
): boolean => lookedAt >= deadline && now - lookedAt <= Math.max(everyMs, gate?.windowMs ?? 0);

/** An activity that waits has to end long before its timeout, ms. */
const mostWaitMs = 600_000;

/** How long to wait before the next look, ms: at the most until the end of the time, and then at once. */
export function nextLookMs(
  everyMs: number,
  { deadline, traffic = nothing }: Progress,
  paused: boolean,
  now: number,
): number {
  const isDoubtful = (traffic.deadSince ?? null) !== null;
  const usual = Math.min(everyMs, isDoubtful ? deadForMs : mostWaitMs);
  if (paused || deadline === null) return usual;
  if (now < deadline) return Math.min(usual, deadline - now);
  return traffic.lookedAt < deadline ? 0 : usual;
}

const traffic = (progress: Progress, change: Partial<Traffic>): Progress => ({
  ...progress,
  traffic: { ...(progress.traffic ?? nothing), ...change },
});
