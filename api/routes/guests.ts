import { setTimeout as sleep } from 'node:timers/promises';
import { Type } from 'typebox';
import type { EjectView, ExportView, GrantsView } from '../../contracts/api.ts';
import type { ExportForm } from '../../contracts/catalog.ts';
import { failures } from '../../contracts/failures.ts';
import type { TableFacts } from '../../contracts/facts.ts';
import type { TablePlan } from '../../contracts/plan.ts';
import { ejectSql } from '../../decisions/guests/eject.ts';
import { exportFile } from '../../decisions/guests/export.ts';
import { ofTable } from '../../decisions/guests/of-table.ts';
import { grantsOf } from '../../decisions/guests/grants.ts';
import { nearest } from '../../decisions/nearest.ts';
import { parseQualified } from '../../decisions/sql/postgres/identifier.ts';
import type { RouteDependencies } from '../deps.ts';
import { unknownName } from '../plugins/validation.ts';
import { Refusal, requestInvalid } from '../problems.ts';
import { EjectSchema, ExportFormName, ExportSchema, GrantsSchema } from '../schemas/guests.ts';
import { closed, text } from '../schemas/words.ts';
import { mustFind } from '../view.ts';
import { ById, problems, secured, type Routes } from './route.ts';

const ByName = closed({ target: text('A target of the configuration') }, 'Which target');
const GrantsQuery = closed(
  {
    table: Type.Optional(text('`schema.table` that is to be changed')),
    role: Type.Optional(
      Type.String({ minLength: 1, maxLength: 63, description: 'Our role there; default: the one we connect as' }),
    ),
  },
  'For what',
);

/** How long a look may take that is good to have, ms: without it the statements look up themselves what they need. */
const patienceMs = 5_000;
/** Names of the role where nobody said another and none can be seen. */
const usualRole = 'lakeshift';
/** A table that is not there: its look still says who we are and what we may. */
const noTable = 'public.lakeshift_grants';

/** What our role needs in a target. */
export const grants: Routes = (app, deps) => {
  app.get(
    '/targets/:target/grants',
    {
      config: { role: 'viewer' },
      schema: {
        summary: 'Print the statements that give our role its rights',
        description:
          'Looks at the target when a worker and the role are there already; otherwise the statements look up ' +
          'themselves what they need.',
        tags: ['service'],
        security: secured,
        params: ByName,
        querystring: GrantsQuery,
        response: { 200: GrantsSchema, ...problems(401, 403, 404, 422, 429) },
      },
    },
    ({ params, query }) => grantsFor(deps, params.target, query.table ?? null, query.role ?? null),
  );
};

const EjectQuery = closed(
  { way: Type.Optional(Type.Enum(['back', 'finish'], { description: 'Default `back`' })) },
  'Which way',
);

/** A half-done change, by hand. */
export const eject: Routes = (app, deps) => {
  app.get(
    '/deployments/:id/eject',
    {
      config: { role: 'viewer' },
      schema: {
        summary: 'Print plain SQL that takes a half-done change back, or finishes it',
        description:
          'From the ledger alone: neither Temporal nor a worker is asked. The script looks in the target at what has ' +
          'happened. 409 for a deployment that has ended.',
        tags: ['deployments'],
        security: secured,
        params: ById,
        querystring: EjectQuery,
        response: { 200: EjectSchema, ...problems(401, 403, 404, 409, 422, 429, 503) },
      },
    },
    ({ params, query }) => ejected(deps, params.id, query.way ?? 'back'),
  );
};

async function ejected({ reader }: RouteDependencies, idOrName: string, way: EjectView['way']): Promise<EjectView> {
  const { status } = await mustFind(reader, idOrName);
  const { id, stage, progress } = status;
  const plan = await planOf(reader, id);
  if (progress.outcome !== null)
    throw new Refusal('ORDER_IMPOSSIBLE', `${id} has ended, ${progress.outcome.phase}: nothing of it is half done`, {
      possible: [],
    });
  return { id, way, stage, sql: ejectSql({ plan, deployment: id, stage, way }) };
}

async function planOf(reader: RouteDependencies['reader'], id: string): Promise<TablePlan> {
  const found = await reader.report(id);
  if (found === null) throw new Refusal('NOT_FOUND', `the ledger has no plan of ${id}: it was not started here`);
  const plan = ofTable(found.plan);
  if (plan !== null) return plan;
  throw new Refusal('NOT_FOUND', `${id} changes no table: there is no SQL for it`);
}

const ExportQuery = closed({ form: ExportFormName }, 'In which form');

/** A finished change, for the databases that the service does not change. */
export const exported: Routes = (app, deps) => {
  app.get(
    '/deployments/:id/export',
    {
      config: { role: 'viewer' },
      schema: {
        summary: 'Write the finished change as a migration of another tool',
        description:
          'From the ledger alone, whether the deployment has ended or not. The script does nothing where the change is ' +
          'made; elsewhere it locks and rewrites the table at once.',
        tags: ['deployments'],
        security: secured,
        params: ById,
        querystring: ExportQuery,
        response: { 200: ExportSchema, ...problems(401, 403, 404, 422, 429, 503) },
      },
    },
    ({ params, query }) => exportOf(deps, params.id, query.form),
  );
};

async function exportOf({ reader }: RouteDependencies, idOrName: string, form: ExportForm): Promise<ExportView> {
  const { id } = (await mustFind(reader, idOrName)).status;
  return { id, form, ...exportFile(await planOf(reader, id), form, Date.now()) };
}

async function grantsFor(
  deps: RouteDependencies,
  name: string,
  table: string | null,
  role: string | null,
): Promise<GrantsView> {
  const parsed = table === null ? null : readTable(table);
  const facts = await seen(deps, name, table ?? noTable);
  if (table !== null && facts?.oid === null)
    throw requestInvalid([
      unknownName('/query/table', `there is no table ${table} in target ${name}`, table, facts.tablesNearby),
    ]);
  const ours = role ?? roleOf(facts);
  const grants = grantsOf({ role: ours, homeSchema: deps.config.homeSchema, table: parsed, facts });
  return { target: name, role: ours, table, grants };
}

function readTable(table: string): NonNullable<ReturnType<typeof parseQualified>> {
  const parsed = parseQualified(table);
  if (parsed === null) throw requestInvalid([{ pointer: '/query/table', detail: 'must be schema.table' }]);
  return parsed;
}

/** What our role sees of a table; null: it cannot look yet. */
async function seen({ config, engine }: RouteDependencies, name: string, table: string): Promise<TableFacts | null> {
  const target = config.targets[name];
  if (target === undefined) {
    const near = nearest(name, Object.keys(config.targets));
    throw new Refusal('NOT_FOUND', `there is no target ${name}${near === null ? '' : `; did you mean ${near}?`}`);
  }
  const spec = { name: 'grants', strategy: 'expand-contract', target: name, table, changes: [] } as const;
  return Promise.race([engine.inspect(spec, target).catch(notYet), sleep(patienceMs, null, { ref: false })]);
}

/** A superuser is nobody's answer to the question which role we need. */
const roleOf = (facts: TableFacts | null): string =>
  facts === null || facts.rights.superuser || facts.rights.role === '' ? usualRole : facts.rights.role;

/** Before the first grant nobody can look: that is what the statements are for. */
function notYet(error: unknown): null {
  if (error instanceof Refusal && (failures[error.code].family === 'busy' || error.code === 'RIGHTS_MISSING'))
    return null;
  throw error;
}
