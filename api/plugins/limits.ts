import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import type { ApiConfig } from '../../config/index.ts';
import { Refusal } from '../problems.ts';

/** Limits how often one caller asks: by its token, or by its address as long as nobody knows it. */
export async function useLimits(app: FastifyInstance, { rateLimit: { max, perMs } }: ApiConfig): Promise<void> {
  await app.register(rateLimit, {
    max,
    timeWindow: perMs,
    keyGenerator: ({ actor, ip }) => (actor === null ? `address ${ip}` : `actor ${actor.name}`),
    errorResponseBuilder: (_request, { after, max: allowed }) =>
      new Refusal('RATE_LIMITED', `${allowed} requests are allowed; ask again in ${after}`),
  });
}
