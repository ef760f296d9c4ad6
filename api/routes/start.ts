import { Type } from 'typebox';
import type { FieldProblem } from '../../contracts/api.ts';
import { startDeployment } from '../start-deployment.ts';
import { actorOf } from '../plugins/access.ts';
import { requestInvalid } from '../problems.ts';
import { DeploymentViewSchema } from '../schemas/deployment.ts';
import { SpecSchema } from '../schemas/spec.ts';
import { pathOf, viewOf } from '../view.ts';
import { problems, Repeatable, secured, type Routes } from './route.ts';

const StartHeaders = Type.Object(
  {
    ...Repeatable.properties,
    'plan-hash': Type.Optional(
      Type.String({
        pattern: '^[0-9a-f]{64}$',
        description: 'The `hash` of a plan of this spec that was shown within the last hour: this very plan is started',
      }),
    ),
  },
  { description: 'Headers' },
);

/** Starting a deployment. */
export const start: Routes = (app, deps) => {
  app.post(
    '/deployments',
    {
      config: { role: 'operator' },
      // As in plans.ts: `checkSpec` checks the body, `headersOf` the headers.
      validatorCompiler: () => () => true,
      schema: {
        summary: 'Start a deployment, once',
        description:
          'Answers 201 once the workflow has accepted the plan. The same request, by the same caller under the same ' +
          'Idempotency-Key (default: the spec\u2019s hash), always meets the same deployment: 200 when it had been ' +
          'accepted before, whatever has become of it since. With the header Plan-Hash the very plan that was shown ' +
          'is started, and the target is not looked at for a new one; 409 PLAN_STALE when it can not be used.',
        tags: ['deployments'],
        security: secured,
        consumes: ['application/json', 'application/yaml'],
        headers: StartHeaders,
        body: SpecSchema,
        response: {
          200: DeploymentViewSchema,
          201: DeploymentViewSchema,
          ...problems(401, 403, 409, 413, 415, 422, 429, 500, 503),
        },
      },
    },
    async (request, reply) => {
      const asked = { body: request.body, actor: actorOf(request), ...headersOf(request.headers) };
      const { status, isNew } = await startDeployment(deps, asked);
      request.log.info({ deployment: status.id, isNew }, 'deployment started');
      return reply
        .code(isNew ? 201 : 200)
        .header('location', pathOf(status.id))
        .send(viewOf(deps.engine, { status }));
    },
  );
};

/** What the headers say; null: not sent. Throws REQUEST_INVALID with all that is wrong with them. */
function headersOf(headers: { readonly 'idempotency-key'?: string; readonly 'plan-hash'?: string }) {
  const { 'idempotency-key': key = null, 'plan-hash': planHash = null } = headers;
  const problems: FieldProblem[] = [];
  if (key !== null && !/^[\x21-\x7e]{1,200}$/.test(key))
    problems.push({ pointer: '/headers/idempotency-key', detail: 'must be 1 to 200 visible characters' });
  if (planHash !== null && !/^[0-9a-f]{64}$/.test(planHash))
    problems.push({ pointer: '/headers/plan-hash', detail: 'must be the 64 hex digits of a plan\u2019s hash' });
  if (problems.length > 0) throw requestInvalid(problems);
  return { key, planHash };
}
