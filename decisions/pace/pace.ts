import type { PageWork } from './burst.ts';
import type { Share } from './share.ts';
import { crawl, staleMs, type Brake, type Signal } from './signals.ts';

/** What is known about the present moment. Null: not measured, which is never taken for *nobody is there*. */
export interface Conditions {
  /** Epoch ms. */
  readonly now: number;
  /** Sessions of others that are at work in the database. */
  readonly busy: Signal<number>;
  /** What the outer control allows beside an application. */
  readonly share: Share;
  /** Reasons to be slower than that. */
  readonly brakes: readonly Brake[];
  /** In a window in which the application is looked at without us. */
  readonly offWindow: boolean;
  /** Rows per second at the most, by plan or order. */
  readonly rate: number | null;
  /** What the last chunk took, ms; null before the first. */
  readonly chunkMs: number | null;
  /** Rows that the last chunk changed. */
  readonly chunkRows: number;
  /** Pages that the last chunk went over; 0 before the first. */
  readonly chunkPages: number;
  /** What one page of the coming pass asks for. */
  readonly page: PageWork;
  readonly superPages: number;
}

/** How large the next chunk is, how long to rest before it, and why. */
export interface Pace {
  /** 0: none now, ask again after the rest. */
  readonly pages: number;
  /** Fractions of a millisecond count: what is too short to sleep for is owed. */
  readonly restMs: number;
  readonly reason: string;
}

/** What a burst beside an application does at most, in rows that stay on their page: its length decides what is felt. */
const burstRows = 100;
/** A chunk that took longer than this is halved, ms: its row locks are the application's to wait for. */
const longChunkMs = 100;
/** A burst that took longer than this is halved, ms; most of it may be the way to the server and back. */
const longBurstMs = 5;
/** How soon to ask again when nothing may be written now, ms. */
const holdMs = 200;

/** Large chunks when nobody is there; short bursts, evenly paced, when somebody is, or when nobody could look. */
export function pace(conditions: Conditions): Pace {
  const { busy, offWindow, rate } = conditions;
  const alone = busy.value === 0 && isFresh(busy, conditions.now);
  if (offWindow && !alone) return held('looks at the application alone for a moment');
  const { pages, share, reason } = slowest(conditions, alone ? fullSpeed(conditions) : givingWay(conditions));
  if (share === 0) return held(reason);
  const paced = { pages, restMs: restOf(conditions.chunkMs ?? 1, share), reason };
  return rate === null ? paced : bounded(paced, rate, conditions);
}

/** What the tightest brake leaves of it. */
function slowest(conditions: Conditions, free: Plan): Plan {
  const tightest = conditions.brakes.toSorted((a, b) => a.share - b.share)[0];
  return tightest === undefined || tightest.share >= free.share ? free : underBrake(conditions, free, tightest);
}

interface Plan {
  readonly pages: number;
  readonly share: number;
  readonly reason: string;
}

const isFresh = ({ at }: Signal<unknown>, now: number): boolean => now - at <= staleMs;
const held = (reason: string): Pace => ({ pages: 0, restMs: holdMs, reason });
/** The rest after which work of this length has taken that share of the time. */
const restOf = (workMs: number, share: number): number => Math.min(1_000, workMs * (1 / share - 1));

function fullSpeed({ chunkMs, chunkPages, superPages }: Conditions): Plan {
  const long = chunkMs !== null && chunkMs > longChunkMs && chunkPages > 0;
  const pages = long ? Math.max(8, Math.floor(chunkPages / 2)) : Math.min(superPages, Math.max(64, chunkPages * 2));
  return { pages, share: 1, reason: 'full speed' };
}

function givingWay(conditions: Conditions): Plan {
  const { busy, share, now } = conditions;
  const pages = burstPages(conditions);
  if (!isFresh(busy, now)) return { pages, share: crawl, reason: 'cautious: the load was last seen too long ago' };
  const why = busy.value === null ? 'cautious until the load is known' : 'gives way to the application';
  const percent = `${Math.round(share.value * 100)} % of the time in bursts of at most ${burstRows} rows`;
  return { pages, share: share.value, reason: `${why}: ${percent}; ${share.reason}` };
}

function burstPages({ chunkMs, chunkPages, page }: Conditions): number {
  const pages = Math.max(1, Math.round(burstRows / Math.max(1, page.work)));
  const long = chunkMs !== null && chunkMs > longBurstMs && chunkPages > 0 && chunkPages <= pages;
  return long ? Math.max(1, Math.floor(chunkPages / 2)) : pages;
}

function underBrake(conditions: Conditions, free: Plan, { share, reason }: Brake): Plan {
  if (share === 0) return { pages: 0, share, reason: `pauses: ${reason}` };
  const words = `slows down to ${Math.round(share * 100)} % of the time: ${reason}`;
  return { pages: Math.min(free.pages, burstPages(conditions)), share, reason: words };
}

function bounded(free: Pace, rate: number, { chunkMs, chunkRows, page }: Conditions): Pace {
  const pages = Math.max(1, Math.min(free.pages, Math.floor(rate / 10 / Math.max(1, page.rows))));
  const owed = (chunkRows / rate) * 1_000 - (chunkMs ?? 0);
  return owed > free.restMs
    ? { pages, restMs: Math.min(1_000, owed), reason: `bounded to ${rate} rows/s` }
    : { pages, restMs: free.restMs, reason: free.reason };
}
