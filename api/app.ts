import { randomUUID } from 'node:crypto';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, { LogController, type FastifyInstance } from 'fastify';
import type { ApiDependencies, RouteDependencies } from './deps.ts';
import { guardRoutes, identifyCallers } from './plugins/access.ts';
import { useBodies } from './plugins/bodies.ts';
import { useProblems } from './plugins/errors.ts';
import { useLimits } from './plugins/limits.ts';
import { useMetrics } from './plugins/metrics.ts';
import { useOpenApi } from './plugins/openapi.ts';
import { useValidation } from './plugins/validation.ts';
import { apply } from './routes/apply.ts';
import { catalog } from './routes/catalog.ts';
import { list, show } from './routes/deployments.ts';
import { events } from './routes/events.ts';
import { eject, exported, grants } from './routes/guests.ts';
import { health } from './routes/health.ts';
import { orders } from './routes/orders.ts';
import { plans } from './routes/plans.ts';
import { report } from './routes/report.ts';
import type { Routes } from './routes/route.ts';
import { metricsRoute, service } from './routes/service.ts';
import { start } from './routes/start.ts';
import { createWatch } from './watch.ts';

/** Routes under /v1: all of them need a role. */
const guarded: readonly Routes[] = [
  plans,
  start,
  apply,
  list,
  show,
  events,
  orders,
  report,
  catalog,
  grants,
  eject,
  exported,
];

/** The whole API without a socket: the server listens with it, tests inject into it. */
export async function buildApp(deps: ApiDependencies): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: deps.logger,
    bodyLimit: deps.config.api.bodyLimit,
    logController: new LogController({ requestIdLogLabel: 'requestId' }),
    requestIdHeader: false,
    genReqId: ({ headers }) => acceptableId(headers['x-request-id']) ?? randomUUID(),
    // A stream that nobody ends must not keep the service from stopping.
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true, querystringParser: parseQuery },
  }).withTypeProvider<TypeBoxTypeProvider>();

  const closing = new AbortController();
  app.addHook('preClose', () => {
    closing.abort();
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  useValidation(app);
  useProblems(app);
  useBodies(app);
  const metrics = useMetrics(app);
  await useOpenApi(app, deps.version);

  const inner: RouteDependencies = {
    ...deps,
    watch: createWatch(deps.reader, deps.watchEveryMs),
    closing: closing.signal,
  };
  service(app, inner);
  health(app, inner);
  metricsRoute(app, metrics);
  await app.register(
    async (plain) => {
      const v1 = plain.withTypeProvider<TypeBoxTypeProvider>();
      identifyCallers(v1, deps.config.api);
      await useLimits(v1, deps.config.api);
      guardRoutes(v1);
      for (const routes of guarded) routes(v1, inner);
    },
    { prefix: '/v1' },
  );
  return app;
}

const acceptableId = (header: string | string[] | undefined): string | null =>
  typeof header === 'string' && /^[\w-]{8,64}$/.test(header) ? header : null;

/** Names that are repeated become lists; nothing else has a meaning. */
function parseQuery(text: string): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const before = Object.hasOwn(query, name) ? query[name] : undefined;
    query[name] = before === undefined ? value : [before, value].flat();
  }
  return query;
}
