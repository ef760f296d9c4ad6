import type { ShadowRequest } from '../../contracts/shadow.ts';
import type { Answer } from './compare-answers.ts';

/** What was answered, or null, and how long that took, ms. */
export interface Asked {
  readonly answer: Answer | null;
  readonly ms: number;
}

/** Says to whoever is asked that nobody waits for the answer, and of which deployment it is. */
export const shadowHeader = 'x-lakeshift-shadow';

/** A longer answer is none: it would have to be held as a whole, in several lanes. */
const mostBytes = 4_000_000;

/** Asks a side; no answer in time, a connection that breaks and an answer that is too long are the same: none. */
export async function askSide(
  address: string,
  { method, path, headers, body }: ShadowRequest,
  deployment: string,
  signal: AbortSignal,
): Promise<Asked> {
  const from = performance.now();
  const took = (): number => performance.now() - from;
  try {
    const response = await fetch(`${address}${path}`, {
      method,
      headers: { ...headers, [shadowHeader]: deployment },
      ...(body === undefined ? {} : { body }),
      redirect: 'manual',
      signal,
    });
    const bytes = await read(response);
    if (bytes === null) return { answer: null, ms: took() };
    return { answer: { status: response.status, contentType: typeOf(response), body: bytes }, ms: took() };
  } catch {
    return { answer: null, ms: took() };
  }
}

async function read({ body }: Response): Promise<Buffer | null> {
  const parts: Uint8Array[] = [];
  let length = 0;
  if (body === null) return Buffer.alloc(0);
  // the types of Node do not say that it gives bytes
  for await (const part of body as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > mostBytes) return null;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

const typeOf = ({ headers }: Response): string =>
  (headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
