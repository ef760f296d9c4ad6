/** The signals that ask a process to end in order. */
const signals = ['SIGTERM', 'SIGINT'] as const;

/**
 * Settles when the process is asked to end, by a signal or, when it is supervised, by the end of whoever started it.
 * A second signal ends it at once: somebody is in a hurry.
 */
export function shutdownAsked(supervised: boolean): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of signals) {
      process.once(signal, () => {
        resolve(signal);
        process.once(signal, () => process.exit(1));
      });
    }
    if (supervised) process.once('disconnect', () => resolve('whoever started it has ended'));
  });
}
