import type { FastifyReply } from 'fastify';

/** Fires when the client is gone or the service stops: whoever waits for an answer is let go. */
export function listeningTo(reply: FastifyReply, closing: AbortSignal): AbortSignal {
  const gone = new AbortController();
  reply.raw.on('close', () => {
    gone.abort();
  });
  return AbortSignal.any([gone.signal, closing]);
}
