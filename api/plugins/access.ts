import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isLoopback, type ApiConfig, type TokenConfig } from '../../config/index.ts';
import { roles, type Role } from '../../contracts/catalog.ts';
import type { Actor } from '../../contracts/messages.ts';
import { Refusal, requestInvalid } from '../problems.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; null: nobody whom we know. */
    actor: Actor | null;
  }
  interface FastifyContextConfig {
    /** The least role that may use the route. */
    role?: Role;
  }
}

/** Finds out who asks before anything else, so that limits can be counted by caller. */
export function identifyCallers(app: FastifyInstance, api: ApiConfig): void {
  const identify = api.open ? claimedActor : actorByToken(api.tokens);
  app.decorateRequest('actor', null);
  app.addHook('onRequest', (request, _reply, done) => {
    request.actor = identify(request);
    done();
  });
}

/**
 * Lets a route be used by its role or a higher one, before the body is read. A route that names no role can't be
 * registered: forgetting it must not mean that everybody may.
 */
export function guardRoutes(app: FastifyInstance): void {
  app.addHook('onRoute', ({ config, url }) => {
    if (config?.role === undefined) throw new Error(`the route ${url} does not say who may use it`);
  });
  app.addHook('preParsing', (request, _reply, _payload, done) => {
    const needed = request.routeOptions.config.role ?? 'approver';
    const { actor } = request;
    if (actor === null) throw new Refusal('UNAUTHENTICATED', 'send `authorization: Bearer <token>` with a known token');
    if (roles.indexOf(actor.role) < roles.indexOf(needed)) {
      throw new Refusal('FORBIDDEN', `this needs the role ${needed}; ${actor.name} has the role ${actor.role}`);
    }
    done();
  });
}

/** Who asks, on a route that is guarded. */
export function actorOf(request: FastifyRequest): Actor {
  if (request.actor === null) throw new Refusal('UNAUTHENTICATED', 'nobody is known to ask');
  return request.actor;
}

/** Compares hashes, always all of them, so that the time it takes says nothing of how much of a token was right. */
function actorByToken(tokens: readonly TokenConfig[]): (request: FastifyRequest) => Actor | null {
  const known = tokens.map(({ token, name, role, groups }) => ({
    hash: sha256(token),
    actor: { name, role, groups, via: 'api' } as const,
  }));
  return ({ headers }) => {
    const given = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
    if (given === undefined) return null;
    const hash = sha256(given);
    return known.filter((token) => timingSafeEqual(token.hash, hash)).map(({ actor }) => actor)[0] ?? null;
  };
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * In open mode everybody is who they say. A name that is looked up to this machine's own address must not open it to
 * a web page, so the host must be a loopback name.
 */
function claimedActor({ headers, host }: FastifyRequest): Actor {
  if (!isLoopback(host.replace(/:\d+$/, ''))) {
    throw new Refusal('FORBIDDEN', 'in open mode the API answers only to localhost');
  }
  const name = single(headers['x-lakeshift-actor']) ?? 'local';
  const groups = (single(headers['x-lakeshift-groups']) ?? '').split(',').map((group) => group.trim());
  const filled = groups.filter((group) => group !== '');
  const wrong = [
    ...(isWord(name) ? [] : [{ pointer: '/headers/x-lakeshift-actor', detail: wordRule }]),
    ...(filled.every(isWord) ? [] : [{ pointer: '/headers/x-lakeshift-groups', detail: wordRule }]),
  ];
  if (wrong.length > 0) throw requestInvalid(wrong);
  return { name, role: 'approver', groups: filled, via: 'api' };
}

const single = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header.join(',') : header;
const isWord = (text: string): boolean => /^[\w.@-]{1,60}$/.test(text);
const wordRule = 'must be 1 to 60 letters, digits, dots, dashes or underscores';
