/** What is known about the present moment. Null: not measured, which is never taken for *nobody is there*. */
export interface Conditions {
  /** Sessions of others that are at work in the database. */
  readonly othersBusy: number | null;
  /** Rows per second at the most, by plan or order. */
  readonly rate: number | null;
  /** What the last chunk took, ms; null before the first. */
  readonly chunkMs: number | null;
  /** Rows that the last chunk changed. */
  readonly chunkRows: number;
  /** Pages that the last chunk went over; 0 before the first. */
  readonly chunkPages: number;
  /** Rows of one page that one pass takes, as the plan expects. */
  readonly rowsPerPageAndPass: number;
  readonly superPages: number;
}

/** How large the next chunk is, how long to rest before it, and why. */
export interface Pace {
  readonly pages: number;
  readonly restMs: number;
  readonly reason: string;
}

/** Rows of a burst beside an application: its length decides what is felt, not the share of time. */
const burstRows = 50;
/** A chunk that took longer than this is halved, ms: its row locks are the application's to wait for. */
const longChunkMs = 100;

/** Large chunks when nobody is there; short bursts with as long a rest when somebody is, or when nobody could look. */
export function pace(conditions: Conditions): Pace {
  const { othersBusy, rate } = conditions;
  const free = othersBusy === 0 ? fullSpeed(conditions) : givingWay(conditions);
  return rate === null ? free : bounded(free, rate, conditions);
}

function fullSpeed({ chunkMs, chunkPages, superPages }: Conditions): Pace {
  const long = chunkMs !== null && chunkMs > longChunkMs && chunkPages > 0;
  const pages = long ? Math.max(8, Math.floor(chunkPages / 2)) : Math.min(superPages, Math.max(64, chunkPages * 2));
  return { pages, restMs: 0, reason: 'full speed' };
}

function givingWay({ chunkMs, rowsPerPageAndPass, othersBusy }: Conditions): Pace {
  const pages = Math.max(1, Math.round(burstRows / Math.max(1, rowsPerPageAndPass)));
  const reason = othersBusy === null ? 'cautious until the load is known' : 'gives way to the application';
  return { pages, restMs: Math.min(20, chunkMs ?? 1), reason };
}

function bounded(free: Pace, rate: number, { chunkMs, chunkRows, rowsPerPageAndPass }: Conditions): Pace {
  const pages = Math.max(1, Math.min(free.pages, Math.floor(rate / 10 / Math.max(1, rowsPerPageAndPass))));
  const owed = (chunkRows / rate) * 1_000 - (chunkMs ?? 0);
  return owed > free.restMs
    ? { pages, restMs: Math.min(1_000, owed), reason: `bounded to ${rate} rows/s` }
    : { pages, restMs: free.restMs, reason: free.reason };
}
