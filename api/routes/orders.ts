import { Type, type TProperties } from 'typebox';
import { orderNames, type OrderName, type Role } from '../../contracts/catalog.ts';
import { orderDescriptions, type Actor, type ApprovalOrder, type Orders } from '../../contracts/messages.ts';
import { parseDuration } from '../../decisions/duration.ts';
import type { RouteDependencies } from '../deps.ts';
import { actorOf } from '../plugins/access.ts';
import { Refusal, requestInvalid } from '../problems.ts';
import { DeploymentViewSchema } from '../schemas/deployment.ts';
import { closed, nullable } from '../schemas/words.ts';
import { signApproval } from '../sign-approval.ts';
import { orderIdOf } from '../start-deployment.ts';
import { mustFind, viewOf } from '../view.ts';
import { ById, problems, Repeatable, secured, type Routes } from './route.ts';

const every = {
  stage: Type.String({
    minLength: 1,
    maxLength: 100,
    description: 'The stage at which the deployment is believed to be',
  }),
  reason: Type.String({ pattern: '\\S', maxLength: 500, description: 'Why; it goes into the ledger' }),
};
const hash = (description: string) => Type.String({ pattern: '^[0-9a-f]{64}$', description });
const approval = {
  ...every,
  planHash: hash('The plan that is meant'),
  evidenceHash: Type.Optional(nullable(hash('SHA-256'), 'The evidence that was shown, when the stage gathers any')),
};
const extension = { ...every, by: Type.String({ description: 'How much longer, for example `3d`' }) };
const rate = {
  ...every,
  rowsPerSecond: nullable(Type.Number({ exclusiveMinimum: 0, description: 'Rows' }), 'At the most; null: no bound'),
};

/** How each order is asked for. */
const forms: Readonly<Record<OrderName, { readonly role: Role; readonly fields: TProperties }>> = {
  pause: { role: 'operator', fields: every },
  resume: { role: 'operator', fields: every },
  approve: { role: 'approver', fields: approval },
  reject: { role: 'approver', fields: approval },
  abort: { role: 'operator', fields: every },
  rollback: { role: 'operator', fields: every },
  retry: { role: 'operator', fields: every },
  skip: { role: 'approver', fields: approval },
  extend: { role: 'operator', fields: extension },
  setRate: { role: 'operator', fields: rate },
};

/** An order's last word in an address: `set-rate`. */
export const orderPath = (name: OrderName): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The role that an order needs. */
export const orderRole = (name: OrderName): Role => forms[name].role;

/** What operators decide: one address for each order. */
export const orders: Routes = (app, deps) => {
  for (const name of orderNames) {
    app.post(
      `/deployments/:id/${orderPath(name)}`,
      {
        config: { role: forms[name].role },
        schema: {
          summary: orderDescriptions[name],
          description: 'Taken or refused at once; a refusal says what would be possible.',
          tags: ['orders'],
          security: secured,
          params: ById,
          headers: Repeatable,
          body: closed(forms[name].fields, 'The order'),
          response: { 200: DeploymentViewSchema, ...problems(401, 403, 404, 409, 413, 415, 422, 429, 500, 503) },
        },
      },
      async (request) => {
        const { id } = request.params;
        const actor = actorOf(request);
        const key = request.headers['idempotency-key'] ?? null;
        const base = { actor, id: orderIdOf(id, actor, name, request.body, key) };
        // The schema of this order's own fields has checked the body.
        const asked = { ...base, body: request.body as unknown as Body };
        request.log.info({ deployment: id, order: name, orderId: base.id, actor: actor.name }, 'order received');
        return viewOf(deps.engine, { status: await give(deps, id, name, asked) });
      },
    );
  }
};

/** All fields that any order has; each order's schema says which are there. */
interface Body {
  readonly stage: string;
  readonly reason: string;
  readonly planHash: string;
  readonly evidenceHash?: string | null;
  readonly by: string;
  readonly rowsPerSecond: number | null;
}

interface Asked {
  readonly actor: Actor;
  readonly id: string;
  readonly body: Body;
}

/** Gives the order to the deployment of this id, or to the latest of this name. */
async function give(deps: RouteDependencies, idOrName: string, name: OrderName, asked: Asked) {
  const status = await deps.engine.order(idOrName, name, orderOf(deps, idOrName, name, asked));
  if (status !== null) return status;
  const { status: kept } = await mustFind(deps.reader, idOrName);
  const again =
    kept.id === idOrName ? null : await deps.engine.order(kept.id, name, orderOf(deps, kept.id, name, asked));
  if (again !== null) return again;
  throw new Refusal('ORDER_IMPOSSIBLE', `${name} is not possible: ${kept.id} has ended`, { possible: [] });
}

/** The order as the workflow takes it. */
function orderOf<N extends OrderName>(deps: RouteDependencies, id: string, name: N, asked: Asked): Orders[N] {
  const { actor, body } = asked;
  const base = { actor, id: asked.id, stage: body.stage, reason: body.reason };
  const makers: { readonly [M in OrderName]: () => Orders[M] } = {
    pause: () => base,
    resume: () => base,
    abort: () => base,
    rollback: () => base,
    retry: () => base,
    approve: () => signed(deps, id, 'approve', { ...base, ...bindingOf(body) }),
    reject: () => signed(deps, id, 'reject', { ...base, ...bindingOf(body) }),
    skip: () => signed(deps, id, 'skip', { ...base, ...bindingOf(body) }),
    extend: () => ({ ...base, byMs: lengthOf(body.by) }),
    setRate: () => ({ ...base, rowsPerSecond: body.rowsPerSecond }),
  };
  return makers[name]();
}

const bindingOf = ({ planHash, evidenceHash = null }: Body) => ({ planHash, evidenceHash, signature: null });

const signed = ({ config }: RouteDependencies, id: string, name: OrderName, order: ApprovalOrder): ApprovalOrder =>
  signApproval(config.approvals.key, id, name, order);

function lengthOf(by: string): number {
  const ms = parseDuration(by);
  if (ms !== null && ms > 0) return ms;
  throw requestInvalid([{ pointer: '/by', detail: 'must be a duration above 0, such as 3d' }]);
}
