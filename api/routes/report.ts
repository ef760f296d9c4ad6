import { ReportSchema } from '../schemas/deployment.ts';
import { Refusal } from '../problems.ts';
import { mustFind } from '../view.ts';
import { ById, problems, secured, type Routes } from './route.ts';

/** What happened. */
export const report: Routes = (app, deps) => {
  app.get(
    '/deployments/:id/report',
    {
      config: { role: 'viewer' },
      schema: {
        summary: 'Report on a deployment',
        description: 'What was decided by whom and on what evidence, timings, rows, and what the application felt.',
        tags: ['deployments'],
        security: secured,
        params: ById,
        response: { 200: ReportSchema, ...problems(401, 403, 404, 422, 429, 503) },
      },
    },
    async ({ params }) => {
      const { status } = await mustFind(deps.reader, params.id);
      const found = await deps.reader.report(status.id);
      if (found === null)
        throw new Refusal('NOT_FOUND', `the ledger has no plan of ${status.id}: it was not started here`);
      return found;
    },
  );
};
