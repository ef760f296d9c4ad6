import type { Coordinator } from '../../contracts/running.ts';
import { failure } from '../failures.ts';
import { ask, type Question } from './ask.ts';

/** A page of the protocol of Trino's clients; of its data nothing is read. */
export interface Page {
  readonly id: string;
  /** Path and query of the next one; null: this is the last. */
  readonly next: string | null;
  /** Name of the error that has ended the query; null: none has. */
  readonly errorName: string | null;
}

/** Gives a statement to a coordinator; it is begun when its next page is asked for. */
export async function takeStatement(coordinator: Coordinator, sql: string, question: Question = {}): Promise<Page> {
  return readPage(coordinator, '/v1/statement', { ...question, method: 'POST', body: sql });
}

/** The next page. Fails with TARGET_UNREACHABLE for an answer that is none. */
export async function readPage(coordinator: Coordinator, path: string, question: Question = {}): Promise<Page> {
  const { status, body } = await ask(coordinator, path, question);
  if (status !== 200) throw failure('TARGET_UNREACHABLE', `Trino of ${coordinator.name} answers HTTP status ${status}`);
  const page = parse(body);
  if (page === null) throw failure('TARGET_UNREACHABLE', `what answers for ${coordinator.name} is no Trino`);
  return page;
}

/** Has a coordinator forget a statement; one that does not answer ends it by itself. */
export async function dropStatement(coordinator: Coordinator, path: string): Promise<void> {
  await ask(coordinator, path, { method: 'DELETE' }).catch(() => undefined);
}

function parse(body: string): Page | null {
  try {
    // what Trino's protocol promises; each member is looked at
    const { id, nextUri, error } = JSON.parse(body) as { id?: unknown; nextUri?: unknown; error?: unknown };
    if (typeof id !== 'string') return null;
    return { id, next: typeof nextUri === 'string' ? pathOf(nextUri) : null, errorName: nameOf(error) };
  } catch {
    return null;
  }
}

/** It may be the address that clients use, and we ask the coordinator itself. */
function pathOf(uri: string): string {
  const { pathname, search } = new URL(uri);
  return `${pathname}${search}`;
}

/** The name alone: the message of an error may hold values. */
function nameOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null) return null;
  const name = 'errorName' in error ? error.errorName : null;
  return typeof name === 'string' && /^[A-Z][A-Z0-9_]{0,99}$/.test(name) ? name : 'an error without a name';
}
