import type { Progress } from '../contracts/progress.ts';
import type { QueryCount } from '../contracts/running.ts';

/** Queries were counted that are waited for since a moment; times in epoch ms. */
export const counted = (progress: Progress, on: string, count: QueryCount, since: number, now: number): Progress => ({
  ...progress,
  running: { on, queries: count.running, because: queryWords(on, count), since, lookedAt: now },
});

/** No query is waited for any more. */
export const notWaited = (progress: Progress): Progress => ({ ...progress, running: null });

/** A person is called because of them. */
export const withCall = (progress: Progress): Progress => {
  const running = progress.running ?? null;
  return running === null ? progress : { ...progress, running: { ...running, called: true } };
};

/** Whether a person was called: who has tried again since has looked. */
export const wasCalled = ({ running }: Progress): boolean => running?.called === true;

/** Whether they were waited for as long as is borne, ms. */
export const isOverdue = ({ running }: Progress, timeoutMs: number, now: number): boolean =>
  (running ?? null) !== null && now - (running?.since ?? now) >= timeoutMs;

/** How many run where, in words. */
export function queryWords(on: string, { running, blindBecause }: QueryCount): string {
  if (running === null) return `nobody could see what runs on ${on}: ${blindBecause ?? 'it was not asked'}`;
  return `${running === 1 ? '1 query still runs' : `${running} queries still run`} on ${on}`;
}
