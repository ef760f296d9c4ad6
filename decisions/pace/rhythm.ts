/** When the application is looked at without us: small windows in which no burst runs. */
export interface Rhythm {
  /** How long windows with and without us last while there is no baseline: they end as soon as there is one, ms. */
  readonly firstMs: number;
  /** How long each window without us lasts, ms. */
  readonly offMs: number;
  /** How long bursts run between two of them, ms. */
  readonly onMs: number;
}

/** The window that we are in. */
export interface Window {
  readonly off: boolean;
  /** It began without a baseline. */
  readonly blind: boolean;
  /** Epoch ms. */
  readonly since: number;
}

/** The window of this moment. `had`: there is a baseline. */
export function windowAt(before: Window | null, { firstMs, offMs, onMs }: Rhythm, had: boolean, now: number): Window {
  if (before === null) return { off: !had, blind: !had, since: now };
  const lasted = now - before.since;
  const over = before.blind ? had || lasted >= firstMs : lasted >= (before.off ? offMs : onMs);
  return over ? { off: !before.off, blind: !had, since: now } : before;
}
