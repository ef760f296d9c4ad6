import { Readable } from 'node:stream';
import { Type } from 'typebox';
import { endPhases } from '../../contracts/catalog.ts';
import { eventStream } from '../event-stream.ts';
import { listeningTo } from '../listening.ts';
import { closed } from '../schemas/words.ts';
import { mustFind } from '../view.ts';
import { ById, problems, secured, type Routes } from './route.ts';

const number = { pattern: '^[0-9]{1,9}$', description: 'Number of the last event that the client has' };
const AfterQuery = closed({ after: Type.Optional(Type.String(number)) }, 'Where to go on');
const LastEventId = Type.Object({ 'last-event-id': Type.Optional(Type.String(number)) }, { description: 'Headers' });

/** A deployment's events as they happen. */
export const events: Routes = (app, deps) => {
  app.get(
    '/deployments/:id/events',
    {
      config: { role: 'viewer' },
      schema: {
        summary: 'Follow a deployment\u2019s events',
        description:
          'Server-sent events: `id` is the event\u2019s number, `event` its kind, `data` the event as JSON. Events ' +
          'named `progress` have no id and hold live progress. Resumable; the stream ends after the event `ended`.',
        tags: ['deployments'],
        security: secured,
        params: ById,
        querystring: AfterQuery,
        headers: LastEventId,
        produces: ['text/event-stream'],
        response: {
          200: Type.Unsafe<Readable>(Type.String({ description: 'The stream' })),
          204: Type.Null({ description: 'Nothing will come any more' }),
          ...problems(401, 403, 404, 422, 429, 503),
        },
      },
    },
    async ({ params, query, headers }, reply) => {
      const { status, seq } = await mustFind(deps.reader, params.id);
      const after = Number(headers['last-event-id'] ?? query.after ?? 0);
      // To a client that has everything there is nothing to say: 204 tells it not to come back.
      if (endPhases.some((end) => end === status.phase) && after >= seq) return reply.code(204).send(null);
      const signal = listeningTo(reply, deps.closing);
      const messages = eventStream(deps, { id: status.id, after, signal });
      return reply
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
        .type('text/event-stream')
        .send(Readable.from(messages, { objectMode: false }));
    },
  );
};
