/** What each exit code tells a CI job. The help of the program prints this table. */
export const exitCodes = {
  ok: { code: 0, means: 'deployed, or what was asked for is done' },
  failed: { code: 1, means: 'the service could not be reached, or it made a mistake' },
  refused: { code: 2, means: 'refused: a bad spec, plan, order or command line; nothing happened' },
  rolledBack: { code: 3, means: 'everything was taken back' },
  waiting: { code: 4, means: 'waiting: for a person (an approval, or paused), or for a table that is taken' },
  attention: { code: 5, means: 'parked: it needs attention' },
  timedOut: { code: 6, means: 'still going on when the time was up' },
  interrupted: { code: 130, means: 'interrupted; what was started goes on in the service' },
} as const satisfies Record<string, { readonly code: number; readonly means: string }>;

export type ExitName = keyof typeof exitCodes;

/** The table as text, one line a code. */
export const exitCodeTable = (): string =>
  Object.values(exitCodes)
    .map(({ code, means }) => `  ${String(code).padStart(3)}  ${means}`)
    .join('\n');
