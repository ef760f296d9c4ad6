import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

/** OpenAPI 3.1 of the very schemas that requests are checked with, and a page to try it that needs no internet. */
export async function useOpenApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Lakeshift',
        version,
        description:
          'Carries out changes to data platforms without downtime and without losing a row.\n\n' +
          'In open mode no token is needed: `x-lakeshift-actor` claims a name and `x-lakeshift-groups` its groups.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', description: 'A token of the configuration; none in open mode' },
        },
      },
      tags: [
        { name: 'plans', description: 'What would be done' },
        { name: 'deployments', description: 'What is done and was done' },
        { name: 'orders', description: 'What operators decide' },
        { name: 'service', description: 'The service itself' },
      ],
    },
  });
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true });
}
