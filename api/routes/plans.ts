import { Type } from 'typebox';
import { makePlan, readSpec } from '../make-plan.ts';
import { markdownType, planMarkdown, wantsMarkdown } from '../plan-markdown.ts';
import { PlanAnswer } from '../schemas/plan.ts';
import { SpecSchema } from '../schemas/spec.ts';
import { problems, secured, type Routes } from './route.ts';

const Answer = {
  description: 'A plan; nothing was started',
  content: {
    'application/json': { schema: PlanAnswer },
    [markdownType]: { schema: Type.String({ description: 'The plan for people: stages, risk and findings, no SQL' }) },
  },
};

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
          'hour this very plan can be started by its `hash`: see the header Plan-Hash of POST /v1/deployments. The ' +
          'answer has that header too, and with `accept: text/markdown` it is a page for people instead.',
        tags: ['plans'],
        security: secured,
        consumes: ['application/json', 'application/yaml'],
        body: SpecSchema,
        produces: ['application/json', markdownType],
        response: { 200: Answer, ...problems(401, 403, 413, 415, 422, 429, 503) },
      },
    },
    async ({ body, headers }, reply) => {
      const plan = await makePlan(deps, readSpec(deps, body));
      // Before the answer: whoever sees a plan may start it at once.
      await deps.writer.savePlan(plan, Date.now());
      reply.header('plan-hash', plan.hash);
      return wantsMarkdown(headers.accept)
        ? reply.type(`${markdownType}; charset=utf-8`).send(planMarkdown(plan))
        : { plan };
    },
  );
};
