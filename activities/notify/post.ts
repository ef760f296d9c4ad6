import type { Answer } from '../../contracts/notifications.ts';

/** How long a receiver may take to answer, ms. */
export const answerWithin = 10_000;

/** Statuses that say nothing about the message: the receiver wants it later. */
const later: readonly number[] = [408, 425, 429];

/** Posts a body and reads the answer's status. Redirects are not followed: they would take the message elsewhere. */
export async function post(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'user-agent': 'lakeshift', ...headers },
      body,
      signal: AbortSignal.timeout(answerWithin),
    });
    // What it says besides is not read: it may be endless.
    await response.body?.cancel().catch(() => undefined);
    return read(response);
  } catch (error) {
    return { taken: false, refused: false, because: reasonOf(error), retryAfterMs: null };
  }
}

function read({ ok, status, headers }: Response): Answer {
  const because = `HTTP ${status}`;
  if (ok) return { taken: true, because };
  if (status >= 300 && status < 400)
    return { taken: false, refused: true, because: `${because}, a redirect`, retryAfterMs: null };
  const refused = status >= 400 && status < 500 && !later.includes(status);
  return { taken: false, refused, because, retryAfterMs: retryAfter(headers.get('retry-after'), Date.now()) };
}

/** Seconds, or a date of HTTP; in ms from `now` on (epoch ms). Null: nothing that can be read. */
export function retryAfter(value: string | null, now: number): number | null {
  if (value === null) return null;
  const seconds = Number(value);
  const inMs = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(value) - now;
  return Number.isNaN(inMs) ? null : Math.max(0, inMs);
}

/** Only codes: the message of such an error quotes the address. */
function reasonOf(error: unknown): string {
  if (fieldOf(error, 'name') === 'TimeoutError') return `no answer within ${answerWithin / 1_000} s`;
  const code = fieldOf(fieldOf(error, 'cause'), 'code');
  return typeof code === 'string' && /^[A-Z0-9_]+$/.test(code) ? code : 'no connection';
}

const fieldOf = (value: unknown, field: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, field) : null;
