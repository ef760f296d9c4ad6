import { createHmac } from 'node:crypto';

/** What a secret of Standard Webhooks begins with; base64 of 24 to 64 bytes follows. */
const prefix = 'whsec_';

/**
 * The headers of Standard Webhooks for one try: HMAC-SHA-256 over id, moment and body, so that none of them can be
 * exchanged. `at` in epoch ms; `secret` as `whsec_` and base64.
 */
export function signatureHeaders(
  secret: string,
  id: string,
  at: number,
  body: string,
): Readonly<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>> {
  const timestamp = String(Math.floor(at / 1_000));
  const key = Buffer.from(secret.slice(prefix.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
