import type { Coordinator } from '../../contracts/running.ts';
import { failure } from '../failures.ts';

/** What a server has answered. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  /** The server's own clock, epoch ms; null: it says nothing of it. */
  readonly at: number | null;
}

/** A request to Trino. */
export interface Question {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** SQL. */
  readonly body?: string;
  /** The address of a gateway in front of it; absent: its own. */
  readonly through?: string;
  /** How long an answer may take, ms. */
  readonly withinMs?: number;
}

const usualMs = 10_000;

/** Asks a coordinator; fails with TARGET_UNREACHABLE when there is no answer in time. Redirects are answers. */
export async function ask(
  { name, url, user }: Coordinator,
  path: string,
  { method = 'GET', body, through = url, withinMs = usualMs }: Question = {},
): Promise<Answer> {
  try {
    const response = await fetch(new URL(path, through), {
      method,
      headers: { 'x-trino-user': user, 'x-trino-source': 'lakeshift' },
      redirect: 'manual',
      signal: AbortSignal.timeout(withinMs),
      ...(body === undefined ? {} : { body }),
    });
    return { status: response.status, body: await response.text(), at: clockOf(response) };
  } catch {
    throw failure('TARGET_UNREACHABLE', `Trino of ${name} gives no answer`);
  }
}

function clockOf({ headers }: Response): number | null {
  const date = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(date) ? null : date;
}
