import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Type } from 'typebox';
import type { RouteDependencies } from '../deps.ts';
import { ProblemSchema } from '../schemas/problem.ts';
import { closed } from '../schemas/words.ts';

/** The app, whose handlers know the types of their schemas. */
export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** A file of routes: adds them to the app. */
export type Routes = (app: Api, deps: RouteDependencies) => void;

/** Problems that a route may answer, for its description. */
export const problems = <S extends number>(...statuses: readonly S[]): Record<S, typeof ProblemSchema> =>
  // `fromEntries` forgets its keys.
  Object.fromEntries(statuses.map((status) => [status, ProblemSchema])) as Record<S, typeof ProblemSchema>;

/** A deployment in an address. */
export const ById = closed(
  {
    id: Type.String({
      pattern: '^[A-Za-z0-9-]{1,80}$',
      description: 'A deployment\u2019s id, or its name: then the latest',
    }),
  },
  'Which deployment',
);

/** The header under which a request may be repeated. */
export const Repeatable = Type.Object(
  {
    'idempotency-key': Type.Optional(
      Type.String({ pattern: '^[\\x21-\\x7e]{1,200}$', description: 'The same key means the same request' }),
    ),
  },
  { description: 'Headers' },
);

/** For the description: who may use a route. */
export const secured = [{ token: [] }] as const;
