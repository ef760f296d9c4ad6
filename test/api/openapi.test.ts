import { Compile } from 'typebox/compile';
import type { TSchema } from 'typebox';
import { DeploymentPageSchema, DeploymentViewSchema, ReportSchema } from '../../api/schemas/deployment.ts';
import { PlanAnswer } from '../../api/schemas/plan.ts';
import { SpecSchema } from '../../api/schemas/spec.ts';
import { checkSpec } from '../../decisions/check-spec.ts';
import { deploymentOf } from './support/deployment.ts';
import { by, spec, startService, type Service } from './support/service.ts';

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly object[];
  readonly parameters?: readonly { name: string; in: string; description?: string; schema: object }[];
  readonly requestBody?: { content: Record<string, { schema: object }> };
  readonly responses: Record<string, { description?: string; content?: Record<string, { schema: object }> }>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
}

let service: Service;
let document: Document;
beforeAll(async () => {
  service = await startService();
  document = (await service.app.inject({ url: '/openapi.json' })).json<Document>();
});
afterAll(() => service.close());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
  );

/** Every schema in a value, with its place. */
function* schemasIn(value: unknown, place: string): Generator<[string, Record<string, unknown>]> {
  if (typeof value !== 'object' || value === null) return;
  const schema = value as Record<string, unknown>;
  if (!Array.isArray(value)) yield [place, schema];
  for (const list of ['anyOf', 'oneOf', 'allOf'] as const) {
    for (const [index, part] of ((schema[list] ?? []) as unknown[]).entries())
      yield* schemasIn(part, `${place}/${index}`);
  }
  if (schema['items'] !== undefined) yield* schemasIn(schema['items'], `${place}/items`);
  for (const [name, part] of Object.entries(schema['properties'] ?? {})) yield* schemasIn(part, `${place}/${name}`);
}

test('the description is OpenAPI 3.1 and has every route', () => {
  expect(document.openapi).toBe('3.1.0');
  expect(operations()).toHaveLength(28);
});

test('every route has a summary, a description, a tag and a described answer', () => {
  for (const { name, operation } of operations()) {
    expect([name, Boolean(operation.summary), Boolean(operation.description)]).toEqual([name, true, true]);
    expect([name, operation.tags?.length]).toEqual([name, 1]);
    expect(Object.keys(operation.responses).some((status) => status.startsWith('2'))).toBe(true);
    if (name.includes('/v1/')) expect([name, operation.security]).toEqual([name, [{ token: [] }]]);
  }
});

test('every schema and every parameter has a description', () => {
  const bare = operations().flatMap(({ name, operation }) => [
    ...(operation.parameters ?? []).filter((parameter) => !parameter.description).map((p) => `${name} ${p.name}`),
    ...[operation.requestBody, ...Object.values(operation.responses)].flatMap((part) =>
      Object.values(part?.content ?? {}).flatMap(({ schema }) =>
        [...schemasIn(schema, name)].filter(([, found]) => !found['description']).map(([place]) => place),
      ),
    ),
  ]);
  expect(bare).toEqual([]);
});

test('schemas are JSON Schema 2020-12: nothing of OpenAPI 3.0 is left', () => {
  expect(JSON.stringify(document)).not.toMatch(/"nullable":|"exclusiveMinimum":true/);
});

test('every order has its address', () => {
  const paths = Object.keys(document.paths).filter((path) => path.startsWith('/v1/deployments/{id}/'));
  expect(paths.map((path) => path.split('/').at(-1)).sort()).toEqual(
    [
      'events',
      'report',
      'eject',
      'export',
      'pause',
      'resume',
      'approve',
      'reject',
      'abort',
      'rollback',
      'retry',
      'skip',
      'extend',
      'set-rate',
    ].sort(),
  );
});

test('the page to try it needs nothing from elsewhere', async () => {
  const page = await service.app.inject({ url: '/docs/' });
  expect(page.statusCode).toBe(200);
  expect(page.body).not.toMatch(/(src|href)="https?:/);
  const script = await service.app.inject({ url: '/docs/static/swagger-ui-bundle.js' });
  expect(script.statusCode).toBe(200);
});

describe('answers are what the description says', () => {
  const faults = (schema: TSchema, value: unknown) => [...Compile(schema).Errors(value)];

  test('a plan, a start, a deployment, a list and a report', async () => {
    const ask = async (url: string, payload?: object) =>
      (
        await service.app.inject(
          by('operator', payload === undefined ? { url } : { url, payload, method: 'POST' as const }),
        )
      ).json<unknown>();
    expect(faults(PlanAnswer, await ask('/v1/plans', spec()))).toEqual([]);
    const view = await ask('/v1/deployments', spec());
    expect(faults(DeploymentViewSchema, view)).toEqual([]);

    const told = deploymentOf(service.writer, 'described-00000001');
    await told.tell({ seq: 1, kind: 'started' });
    await told.live(5, 5);
    expect(faults(DeploymentViewSchema, await ask(`/v1/deployments/${told.id}`))).toEqual([]);
    expect(faults(DeploymentPageSchema, await ask('/v1/deployments'))).toEqual([]);
    const report = await ask(`/v1/deployments/${told.id}/report`);
    expect(report).toMatchObject({ id: told.id });
    expect(faults(ReportSchema, report)).toEqual([]);
  });

  test.each([
    ['the least that is possible', spec()],
    [
      'everything that is possible',
      spec({
        changes: [{ add: 'note text', up: "'x'", default: "'y'" }],
        conflict: 'new-wins',
        backfill: { rate: 500 },
        cutover: { after: 'checkout-4-2', approve: 'dba' },
        contract: { after: '7d', approve: true, notBy: 'author', approvals: 2 },
        onFailure: 'rollback',
      }),
    ],
  ])('the schema of a spec takes %s, as the check does', (_, value) => {
    expect(faults(SpecSchema, value)).toEqual([]);
    expect(checkSpec(value)).toMatchObject({ ok: true });
  });
});
