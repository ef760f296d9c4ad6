import { makePlan, readSpec } from '../make-plan.ts';
import { PlanAnswer } from '../schemas/plan.ts';
import { SpecSchema } from '../schemas/spec.ts';
import { problems, secured, type Routes } from './route.ts';

/** A preview: what would be done. */
export const plans: Routes = (app, deps) => {
  app.post(
    '/plans',
    {
      config: { role: 'operator' },
      // The shape is described here and checked by `checkSpec`, which names everything that is wrong at once.
      validatorCompiler: () => () => true,
      schema: {
        summary: 'Preview a plan; nothing is started',
        description:
          'Looks at the target and answers every stage with its SQL, the risk and what forbids the change. For an ' +
          'hour this very plan can be started by its `hash`: see the header Plan-Hash of POST /v1/deployments.',
        tags: ['plans'],
        security: secured,
        consumes: ['application/json', 'application/yaml'],
        body: SpecSchema,
        response: { 200: PlanAnswer, ...problems(401, 403, 413, 415, 422, 429, 503) },
      },
    },
    async ({ body }) => {
      const plan = await makePlan(deps, readSpec(deps, body));
      // Before the answer: whoever sees a plan may start it at once.
      await deps.writer.savePlan(plan, Date.now());
      return { plan };
    },
  );
};
