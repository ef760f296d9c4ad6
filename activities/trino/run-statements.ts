import { ApplicationFailure } from '@temporalio/common';
import type { Coordinator } from '../../contracts/running.ts';
import { dropStatement, readPage, takeStatement, type Page } from './taken-statement.ts';

/** Runs statements one after the other to their ends, all in so many ms; what is wrong with the first bad one, or null. */
export async function runStatements(
  coordinator: Coordinator,
  statements: readonly string[],
  timeoutMs: number,
): Promise<string | null> {
  const until = Date.now() + timeoutMs;
  for (const [index, sql] of statements.entries()) {
    const fault = await runStatement(coordinator, sql, until);
    if (fault === null) continue;
    const words = Date.now() >= until ? `did not end in ${timeoutMs} ms` : fault;
    return statements.length === 1 ? words : `statement ${index + 1}: ${words}`;
  }
  return null;
}

async function runStatement(coordinator: Coordinator, sql: string, until: number): Promise<string | null> {
  try {
    return await toItsEnd(coordinator, await takeStatement(coordinator, sql, { withinMs: leftOf(until) }), until);
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
    return error.message;
  }
}

/** Ended or not: afterwards nothing of ours goes on. */
async function toItsEnd(coordinator: Coordinator, first: Page, until: number): Promise<string | null> {
  let page = first;
  try {
    while (page.next !== null && page.errorName === null)
      page = await readPage(coordinator, page.next, { withinMs: leftOf(until) });
    return page.errorName;
  } finally {
    if (page.next !== null) await dropStatement(coordinator, page.next);
  }
}

const leftOf = (until: number): number => Math.max(1, until - Date.now());
