/** npm passes on what the terminal has sent to both of us already: signals this close together are one, ms. */
const oneKeyPressMs = 500;

/** What the terminal, or whoever runs us, wants. */
export interface StopWishes {
  /** Aborted at the first wish. */
  readonly signal: AbortSignal;
  /** Whether there was a later one. */
  readonly isImpatient: () => boolean;
}

/**
 * Aborts at the first SIGINT, SIGTERM, SIGHUP, or when the process that started us is gone. At a later one it calls
 * `atOnce` and ends.
 */
export function listenForStop(atOnce: () => Promise<void>): StopWishes {
  const controller = new AbortController();
  let firstAt = 0;
  let impatient = false;
  const onSignal = (): void => {
    if (!controller.signal.aborted) {
      firstAt = Date.now();
      controller.abort();
    } else if (Date.now() - firstAt > oneKeyPressMs) {
      impatient = true;
      void atOnce().finally(() => process.exit(130));
    }
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  process.on('disconnect', onSignal);
  // Nobody reads any more what we say while we stop.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  return { signal: controller.signal, isImpatient: () => impatient };
}
