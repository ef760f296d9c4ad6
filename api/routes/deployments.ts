import { Type } from 'typebox';
import { endPhases, phases, strategies, type Phase } from '../../contracts/catalog.ts';
import { parseDuration } from '../../decisions/duration.ts';
import type { KeptDeployment } from '../../ledger/index.ts';
import type { RouteDependencies } from '../deps.ts';
import { requestInvalid } from '../problems.ts';
import { DeploymentPageSchema, DeploymentViewSchema } from '../schemas/deployment.ts';
import { closed, text } from '../schemas/words.ts';
import { mustFind, viewOf } from '../view.ts';
import { listeningTo } from '../listening.ts';
import { ById, problems, secured, type Routes } from './route.ts';

const anyOf = (names: readonly string[], description: string) =>
  Type.Optional(Type.Array(Type.Enum([...names], { description: 'One of these' }), { description, maxItems: 50 }));
const anyText = (description: string) =>
  Type.Optional(Type.Array(Type.String({ description: 'One of these' }), { description, maxItems: 50 }));

const ListQuery = closed(
  {
    phase: anyOf(phases, 'Only those in one of these phases; may be repeated'),
    strategy: anyOf(strategies, 'Only those of one of these strategies; may be repeated'),
    target: anyText('Only those on one of these targets; may be repeated'),
    name: anyText('Only those of one of these names; may be repeated'),
    open: Type.Optional(Type.Boolean({ description: 'true: those that have not ended; false: those that have' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'How many at the most' })),
    cursor: Type.Optional(text('The `next` of the page before')),
  },
  'Which deployments',
);

const longest = 60_000;
const WaitQuery = closed(
  {
    wait: Type.Optional(text('How long the answer may wait, for example `30s`; at most 60s')),
    for: Type.Optional(
      Type.Array(Type.Enum(['change', 'ended', ...phases], { description: 'change, ended or a phase' }), {
        description: 'What to wait for; may be repeated. Default `change`',
        maxItems: 20,
      }),
    ),
    after: Type.Optional(Type.Integer({ minimum: 0, description: 'With `change`: the `seq` that the caller knows' })),
  },
  'Whether to wait',
);

/** Looking at many deployments. The answer comes from the ledger. */
export const list: Routes = (app, { reader }) => {
  app.get(
    '/deployments',
    {
      config: { role: 'viewer' },
      schema: {
        summary: 'List deployments, newest first',
        description: 'From the ledger, a page at a time.',
        tags: ['deployments'],
        security: secured,
        querystring: ListQuery,
        response: { 200: DeploymentPageSchema, ...problems(401, 403, 422, 429, 503) },
      },
    },
    async ({ query: { phase, limit = 50, ...filter } }) => {
      // The schema lets no other names through than those of the catalogue.
      const page = await reader.list({
        ...filter,
        limit,
        ...(phase === undefined ? {} : { phase: phase as Phase[] }),
      });
      if (page === null)
        throw requestInvalid([{ pointer: '/query/cursor', detail: 'is not a cursor of this service' }]);
      return page;
    },
  );
};

/** Looking at one deployment, or waiting for it. The answer comes from the ledger. */
export const show: Routes = (app, deps) => {
  app.get(
    '/deployments/:id',
    {
      config: { role: 'viewer' },
      schema: {
        summary: 'Show one deployment, or wait for it',
        description: 'With `wait` the answer comes when what is waited for is there, or when the time is over.',
        tags: ['deployments'],
        security: secured,
        params: ById,
        querystring: WaitQuery,
        response: { 200: DeploymentViewSchema, ...problems(401, 403, 404, 422, 429, 503) },
      },
    },
    async ({ params: { id }, query }, reply) => {
      const found = await mustFind(deps.reader, id);
      const waitMs = waitOf(query.wait);
      if (waitMs === 0) return viewOf(deps.engine, found);
      const wanted = { names: query.for ?? ['change'], after: query.after ?? found.seq };
      const signal = listeningTo(reply, deps.closing);
      return viewOf(deps.engine, await waitFor(deps, found, wanted, Date.now() + waitMs, signal));
    },
  );
};

function waitOf(wait: string | undefined): number {
  if (wait === undefined) return 0;
  const ms = parseDuration(wait);
  if (ms !== null && ms <= longest) return ms;
  throw requestInvalid([{ pointer: '/query/wait', detail: 'must be a duration of at most 60s, such as 30s' }]);
}

interface Wanted {
  readonly names: readonly string[];
  readonly after: number;
}

/** The deployment once it is as wanted, or as it is when the time is over or nobody listens any more. */
async function waitFor(
  { reader, watch }: RouteDependencies,
  found: KeptDeployment,
  wanted: Wanted,
  until: number,
  signal: AbortSignal,
): Promise<KeptDeployment> {
  let kept = found;
  while (!isThere(kept, wanted) && Date.now() < until && !signal.aborted) {
    const known = { seq: kept.seq, liveAt: kept.live?.at ?? null };
    await watch.changed(kept.status.id, known, until - Date.now(), signal);
    kept = await mustFind(reader, kept.status.id);
  }
  return kept;
}

/** What has ended will not change any more: waiting for it is over. */
function isThere({ status: { phase }, seq }: KeptDeployment, { names, after }: Wanted): boolean {
  const ended = endPhases.some((end) => end === phase);
  return ended || names.includes(phase) || (names.includes('change') && seq > after);
}
