import { Type } from 'typebox';
import type { Registry } from 'prom-client';
import { failures } from '../../contracts/failures.ts';
import type { RouteDependencies } from '../deps.ts';
import { Refusal } from '../problems.ts';
import { specJsonSchema, specJsonSchemaPath } from '../schemas/spec-json-schema.ts';
import { closed, open, text, whole } from '../schemas/words.ts';
import { isCode } from '../temporal-failures.ts';
import { problems, type Api, type Routes } from './route.ts';

const IndexSchema = open(
  {
    service: text('lakeshift'),
    version: text('The service\u2019s version'),
    environment: text('The service\u2019s environment'),
    addresses: Type.Record(Type.String(), Type.String({ description: 'A path' }), { description: 'Where things are' }),
  },
  'The way in',
);

const FailureSchema = open(
  {
    code: text('The code'),
    family: Type.Enum(['refused', 'busy', 'broken', 'ambiguous'], { description: 'Who has to do something' }),
    status: whole('HTTP status'),
    title: text('What it means'),
    runbook: text('Where the runbook is, in the source tree'),
  },
  'A failure code',
);

const addresses = {
  docs: '/docs',
  openapi: '/openapi.json',
  spec: specJsonSchemaPath,
  deployments: '/v1/deployments',
  targets: '/v1/targets',
  catalog: '/v1/catalog',
  ready: '/health/ready',
  metrics: '/metrics',
};

/** The service itself. These need no token: they say nothing of any deployment. */
export const service: Routes = (app, { version, config: { environment } }: RouteDependencies) => {
  app.get(
    '/',
    {
      schema: {
        summary: 'Say where things are',
        description: 'Addresses of this service.',
        tags: ['service'],
        response: { 200: IndexSchema },
      },
    },
    () => Promise.resolve({ service: 'lakeshift', version, environment, addresses }),
  );

  app.get(
    '/problems/:code',
    {
      schema: {
        summary: 'Explain a failure code',
        description: 'Where the `type` of a problem leads.',
        tags: ['service'],
        params: closed({ code: text('A failure code') }, 'Which code'),
        response: { 200: FailureSchema, ...problems(404) },
      },
    },
    ({ params: { code } }) => {
      if (!isCode(code)) throw new Refusal('NOT_FOUND', `there is no failure code ${code.slice(0, 60)}`);
      const { family, status, title } = failures[code];
      return Promise.resolve({ code, family, status, title, runbook: `docs/runbooks/${code}.md` });
    },
  );

  app.get(
    specJsonSchemaPath,
    {
      schema: {
        summary: 'The JSON Schema of a spec',
        description: 'For editors, which complete and check specs by it.',
        tags: ['service'],
        produces: ['application/schema+json'],
        response: { 200: Type.Object({}, { description: 'A JSON Schema, draft 7' }) },
      },
    },
    (_request, reply) => reply.type('application/schema+json').send(specJsonSchema),
  );

  app.get('/openapi.json', { schema: { hide: true } }, (_request, reply) => reply.send(app.swagger()));
};

/** What Prometheus reads. */
export function metricsRoute(app: Api, metrics: Registry): void {
  app.get(
    '/metrics',
    {
      logLevel: 'warn',
      schema: {
        summary: 'Metrics for Prometheus',
        description: 'Durations of requests by route pattern, and the process.',
        tags: ['service'],
        produces: ['text/plain'],
        response: { 200: Type.String({ description: 'Prometheus\u2019 text format' }) },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()),
  );
}
