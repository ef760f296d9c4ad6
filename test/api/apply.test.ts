import { Refusal } from '../../api/problems.ts';
import type { ApplyAnswer, DeploymentView, Problem } from '../../contracts/api.ts';
import type { Phase } from '../../contracts/catalog.ts';
import { tableFacts } from '../support/facts.ts';
import { by, spec, startService, type Service, type tokens } from './support/service.ts';

let service: Service;
beforeEach(async () => {
  service = await startService();
});
afterEach(() => service.close());

const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);

type Role = keyof typeof tokens;
const ask = async (specs: readonly unknown[], more: object = {}, role: Role = 'operator') =>
  service.app.inject(by(role, { method: 'POST', url: '/v1/apply', payload: { specs, ...more } }));
const results = async (...args: Parameters<typeof ask>) => {
  const answer = await ask(...args);
  expect([answer.statusCode, answer.body]).toEqual([200, expect.anything()]);
  return answer.json<ApplyAnswer>().results;
};
const refusal = async (...args: Parameters<typeof ask>) => {
  const answer = await ask(...args);
  return { ...answer.json<Problem>(), status: answer.statusCode };
};
const other = (name: string, over: object = {}) => spec({ name, table: `public.${name}`, ...over });
const started = (): string[] => service.engine.started.map(({ plan }) => plan.name);

/** Ends a deployment, or moves it, as its workflow would report. */
async function becomes(id: string, phase: Phase): Promise<void> {
  const { status } = (await service.app.inject(by('viewer', { url: `/v1/deployments/${id}` }))).json<DeploymentView>();
  await service.writer.record({ id, status: { ...status, phase, changedAt: status.changedAt + 1 }, events: [] });
  service.engine.end(id);
}

test('what is new is started, in order; what is unchanged is not, whoever applies', async () => {
  const first = await results([other('beta'), other('alpha')]);
  expect(first).toEqual([
    {
      name: 'beta',
      action: 'started',
      deployment: matching(/^beta-[0-9a-f]{8}$/),
      phase: 'checking',
      because: null,
    },
    {
      name: 'alpha',
      action: 'started',
      deployment: matching(/^alpha-/),
      phase: 'checking',
      because: null,
    },
  ]);
  expect(started()).toEqual(['beta', 'alpha']);
  const again = await results([other('beta'), other('gamma'), other('alpha')], {}, 'approver');
  expect(again.map(({ action }) => action)).toEqual(['unchanged', 'started', 'unchanged']);
  expect(again[0]?.deployment).toBe(first[0]?.deployment);
  expect(started()).toEqual(['beta', 'alpha', 'gamma']);
});

test('what somebody deployed by itself is not started again', async () => {
  const { status } = (
    await service.app.inject(by('approver', { method: 'POST', url: '/v1/deployments', payload: other('alpha') }))
  ).json<DeploymentView>();
  expect(await results([other('alpha')])).toMatchObject([{ action: 'unchanged', deployment: status.id }]);
});

test.each([
  ['deployed', false],
  ['rolled-back', true],
  ['refused', true],
] as const)(
  'what was %s under the same spec is started again only when it did not come about and it is asked for',
  async (phase, restarts) => {
    const [first] = await results([other('alpha')]);
    await becomes(first?.deployment ?? '', phase);
    expect(await results([other('alpha')])).toMatchObject([
      { action: 'unchanged', deployment: first?.deployment, phase },
    ]);
    const [again] = await results([other('alpha')], { again: true });
    expect(again?.action).toBe(restarts ? 'started' : 'unchanged');
    expect(again?.deployment === first?.deployment).toBe(!restarts);
  },
);

test('a spec that has changed since its deployment ended is started, and so is one that was changed back', async () => {
  const changed = other('alpha', { onFailure: 'rollback' });
  const ids: (string | null | undefined)[] = [];
  for (const each of [other('alpha'), changed, other('alpha')]) {
    const [result] = await results([each]);
    expect(result?.action).toBe('started');
    ids.push(result?.deployment);
    await becomes(result?.deployment ?? '', 'deployed');
  }
  expect(new Set(ids).size).toBe(3);
});

test('a name that is under way with another spec is 409 with every field that differs, and nothing is started', async () => {
  const before = other('alpha', { contract: { after: '7d', approve: true }, backfill: { rate: 500 } });
  const [first] = await results([before]);
  const after = other('alpha', {
    contract: { after: '3d', approve: true },
    cutover: { approve: 'dba' },
    changes: [{ ...spec().changes[0], up: 'ceil(amount * 100)' }],
  });
  const answer = await refusal([other('beta'), after]);
  expect(answer).toMatchObject({ status: 409, code: 'SPEC_DIFFERS', holder: first?.deployment });
  expect(answer.errors?.toSorted((a, b) => (a.pointer < b.pointer ? -1 : 1))).toEqual([
    { pointer: '/specs/1', detail: `${first?.deployment ?? ''} is under way (checking) with another spec` },
    { pointer: '/specs/1/backfill', detail: 'is not here; under way it is {"rate":500}' },
    { pointer: '/specs/1/changes/0/up', detail: 'is "ceil(amount * 100)" here; under way it is "round(amount * 100)"' },
    { pointer: '/specs/1/contract/after', detail: 'is "3d" here; under way it is "7d"' },
    { pointer: '/specs/1/cutover', detail: 'is {"approve":"dba"} here; under way there is none' },
  ]);
  expect(started()).toEqual(['alpha']);
});

test('everything that is wrong with any of them is said at once, and nothing is started', async () => {
  await results([other('alpha')]);
  const answer = await refusal([
    other('alpha', { onFailure: 'rollback' }),
    other('good'),
    other('Bad', { target: 'shp' }),
    other('double'),
    other('double', { conflict: 'new-wins' }),
  ]);
  expect(answer).toMatchObject({ status: 422, code: 'SPEC_INVALID', detail: matching(/^4 of 5/) });
  expect(answer.errors?.map(({ pointer }) => pointer)).toEqual([
    '/specs/0',
    '/specs/0/onFailure',
    '/specs/2/name',
    '/specs/2/target',
    '/specs/3/name',
    '/specs/4/name',
  ]);
  expect(answer.errors?.find(({ pointer }) => pointer === '/specs/4/name')?.detail).toContain('/specs/3');
  expect(started()).toEqual(['alpha']);
});

test('what the target forbids is found before anything is started', async () => {
  service.engine.facts = tableFacts({ oid: null, kind: null, columns: [], tablesNearby: ['public.payment'] });
  const answer = await refusal([other('alpha'), other('beta')]);
  expect(answer).toMatchObject({ status: 422, code: 'PLAN_REFUSED' });
  expect(answer.errors?.map(({ pointer }) => pointer)).toEqual(['/specs/0/table', '/specs/1/table']);
  expect(started()).toEqual([]);
});

test('a table that is taken is left for later, and what comes after it on the same table too', async () => {
  const second = spec({ name: 'second', table: 'public."beta"', changes: [{ add: 'note text' }] });
  expect(await results([other('beta'), second, other('gamma')])).toMatchObject([
    { name: 'beta', action: 'started' },
    { name: 'second', action: 'later', deployment: null, because: 'beta comes first on public."beta"' },
    { name: 'gamma', action: 'started' },
  ]);
  service.engine.facts = tableFacts({ holder: 'beta-0a1b2c3d' });
  expect(await results([second])).toMatchObject([{ action: 'later', because: matching(/^beta-0a1b2c3d /) }]);
  service.engine.facts = tableFacts();
  // the table is free when it is looked at, and taken when it is claimed
  service.engine.start = () => Promise.reject(new Refusal('TARGET_TAKEN', 'other-1 holds it', { holder: 'other-1' }));
  expect(await results([other('delta')])).toMatchObject([{ action: 'later', because: matching(/^other-1 /) }]);
});

test('a dry run says the same and starts nothing', async () => {
  await results([other('alpha')]);
  expect(await results([other('alpha'), other('beta')], { dryRun: true })).toMatchObject([
    { action: 'unchanged' },
    { action: 'start', deployment: null },
  ]);
  expect((await refusal([other('alpha', { conflict: 'new-wins' })], { dryRun: true })).code).toBe('SPEC_DIFFERS');
  expect(started()).toEqual(['alpha']);
});

test('many who apply at once, under any name, start each spec once, and one of them is told so', async () => {
  const roles: readonly Role[] = ['operator', 'approver'];
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, i) => results([other('alpha'), other('beta')], {}, roles[i % 2])),
  );
  const ids = new Set(answers.flat().map(({ deployment }) => deployment));
  expect(ids.size).toBe(2);
  expect(answers.flat().filter(({ action }) => action === 'started')).toHaveLength(2);
  expect(new Set(service.engine.started.map(({ id }) => id)).size).toBe(2);
});

test('of two specs under one name at the same moment one is started, and the other is told what differs', async () => {
  const answers = await Promise.all([ask([other('alpha')]), ask([other('alpha', { conflict: 'new-wins' })])]);
  expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 409]);
  const told = answers.find(({ statusCode }) => statusCode === 409)?.json<Problem>();
  expect(told?.errors?.map(({ pointer }) => pointer)).toEqual(['/specs/0', '/specs/0/conflict']);
  expect(new Set(service.engine.started.map(({ plan }) => plan.specHash)).size).toBe(1);
});

test('an engine that goes away in the middle stops it; the same request again goes on', async () => {
  const start = service.engine.start.bind(service.engine);
  service.engine.start = async (input) => {
    if (input.plan.name === 'beta') throw new Refusal('ENGINE_UNREACHABLE', 'Temporal does not answer');
    return start(input);
  };
  const answer = await refusal([other('alpha'), other('beta')]);
  expect(answer).toMatchObject({
    status: 503,
    code: 'ENGINE_UNREACHABLE',
    detail: matching(/^beta: .*started before it: alpha-/),
  });
  service.engine.start = start;
  expect((await results([other('alpha'), other('beta')])).map(({ action }) => action)).toEqual([
    'unchanged',
    'unchanged',
  ]);
  expect(new Set(started())).toEqual(new Set(['alpha', 'beta']));
});

test.each([
  ['no specs', {}, '/specs'],
  ['an empty list', { specs: [] }, '/specs'],
  ['an unknown field', { specs: [], dryrun: true }, '/dryrun'],
])('%s is refused by pointer', async (_, payload, pointer) => {
  const answer = await service.app.inject(by('operator', { method: 'POST', url: '/v1/apply', payload }));
  expect(answer.statusCode).toBe(422);
  expect(answer.json<Problem>().errors?.map((error) => error.pointer)).toContain(pointer);
});

test('who may only look may not apply', async () => {
  expect((await ask([other('alpha')], {}, 'viewer')).statusCode).toBe(403);
});
