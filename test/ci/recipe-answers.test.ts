import { exitCodes } from '../../cli/exit-codes.ts';
import { exitOf, type Patience } from '../../cli/outcome.ts';
import type { DeploymentView } from '../../contracts/api.ts';
import { phases, type Phase } from '../../contracts/catalog.ts';
import { aPlan, aProgress, aStatus, aView } from '../cli/support/fixtures.ts';
import { inTurn, ok, problem, startFakeApi, type Answer, type FakeApi } from '../cli/support/fake-api.ts';
import { runBash, type Finished } from './support/run-script.ts';

const id = 'payments-cents-1a2b3c4d';
const spec = 'examples/01-cents-instead-of-decimals.yaml';
const plan: Answer = (_, response) => {
  response.writeHead(200, { 'content-type': 'text/markdown', 'plan-hash': aPlan().hash }).end('### a plan\n');
  return undefined;
};
/** A service at which everything goes well, but for `routes`. */
const service = (view: DeploymentView, routes: Readonly<Record<string, Answer>> = {}): Promise<FakeApi> =>
  startFakeApi({
    'GET /v1/catalog': ok({ phases }),
    'POST /v1/plans': plan,
    'POST /v1/deployments': ok(view),
    [`GET /v1/deployments/${id}`]: ok(view),
    ...routes,
  });

async function against(api: FakeApi, more: Readonly<Record<string, string>> = {}): Promise<Finished> {
  const env = { LAKESHIFT_API: api.address, LAKESHIFT_TIMEOUT: '1s', LAKESHIFT_RETRY_FOR: '1s', ...more };
  const ran = await runBash(['examples/ci/deploy.sh', 'deploy', spec], env);
  await api.close();
  return ran;
}

const statusIn = (phase: Phase, at: number) => aStatus({ phase, progress: aProgress(at) });

describe('the exit code of the recipe is that of the command line', () => {
  test.each([
    ['person', { kind: 'person' }],
    ['ended', { kind: 'end' }],
  ] as const satisfies readonly (readonly [string, Patience])[])(
    'in each phase, for %s',
    async (waitFor, patience) => {
      const found = await Promise.all(
        phases.map(async (phase) => {
          const api = await service(aView(statusIn(phase, 3)));
          return [phase, (await against(api, { LAKESHIFT_WAIT_FOR: waitFor })).code];
        }),
      );
      const exit = (phase: Phase): number => exitCodes[exitOf(statusIn(phase, 3), patience) ?? 'timedOut'].code;
      expect(found).toEqual(phases.map((phase) => [phase, exit(phase)]));
    },
    120_000,
  );

  test('for each phase that it may wait for, in the midst of the deployment', async () => {
    const status = statusIn('paused', 4);
    const found = await Promise.all(
      phases.map(async (place) => [
        place,
        (await against(await service(aView(status)), { LAKESHIFT_WAIT_FOR: place })).code,
      ]),
    );
    const exit = (place: Phase): number => exitCodes[exitOf(status, { kind: 'reached', place }) ?? 'timedOut'].code;
    expect(found).toEqual(phases.map((place) => [place, exit(place)]));
    expect(new Set(phases.map(exit))).toEqual(new Set([exitCodes.ok.code, exitCodes.waiting.code]));
  }, 120_000);
});

describe('the recipe', () => {
  test('tells why a deployment is parked', async () => {
    const parked = { code: 'RIGHTS_MISSING', detail: 'may not\nread public.payments' } as const;
    const status = aStatus({ phase: 'needs-attention', progress: aProgress(2, { parked }) });
    const ran = await against(await service(aView(status)));
    expect(ran.code).toBe(exitCodes.attention.code);
    expect(ran.out).toContain('needs-attention · stage backfill · RIGHTS_MISSING: may not read public.payments\n');
  });

  test('tells what stood against it when preflight has refused it', async () => {
    const findings = [{ code: 'CONVERSION_FAILS', level: 'refused', detail: '3 rows do not convert' }] as const;
    const status = aStatus({ phase: 'refused', progress: aProgress(0, { findings }) });
    const ran = await against(await service(aView(status)));
    expect([ran.code, ran.err]).toEqual([2, '  refused  CONVERSION_FAILS  3 rows do not convert\n']);
  });

  test('asks by long polls with what it knows, and prints a line for each change alone', async () => {
    const at = (phase: Phase, seq: number): Answer => ok(aView(aStatus({ phase }), { seq }));
    const api = await service(aView(), {
      [`GET /v1/deployments/${id}`]: inTurn(
        at('expanding', 3),
        at('expanding', 4),
        at('backfilling', 6),
        at('deployed', 9),
      ),
    });
    const ran = await against(api, { LAKESHIFT_TIMEOUT: '1h' });
    expect(ran.code).toBe(0);
    expect(ran.out.match(/^\d\d:\d\d:\d\d {2}[a-z-]+/gm)?.map((line) => line.slice(10))).toEqual([
      'expanding',
      'backfilling',
      'deployed',
    ]);
    const looks = api.seen.filter(({ path }) => path.endsWith(id)).map(({ query }) => Object.fromEntries(query));
    expect(looks).toEqual([
      {},
      { wait: '30s', for: 'change', after: '3' },
      { wait: '30s', for: 'change', after: '4' },
      { wait: '30s', for: 'change', after: '6' },
    ]);
  });

  test('sends the same key for the same commit and spec, and none without a commit', async () => {
    const keys: unknown[] = [];
    for (const commit of ['c0ffee', 'c0ffee', 'decaf', '']) {
      const api = await service(aView(aStatus({ phase: 'deployed' })));
      await against(api, { LAKESHIFT_COMMIT: commit });
      const start = api.seen.find(({ method, path }) => method === 'POST' && path === '/v1/deployments');
      expect(start?.headers['plan-hash']).toBe(aPlan().hash);
      keys.push(start?.headers['idempotency-key']);
    }
    expect(keys).toEqual([
      expect.stringMatching(/^ci-c0ffee-\d+-\d+$/),
      keys[0],
      expect.stringMatching(/^ci-decaf-/),
      undefined,
    ]);
  });

  test('meets the deployment of a job that was cut off while it started it with another plan', async () => {
    const start = inTurn(problem(409, 'KEY_REUSED'), ok(aView(aStatus({ phase: 'deployed' }))));
    const api = await service(aView(aStatus({ phase: 'deployed' })), { 'POST /v1/deployments': start });
    const ran = await against(api);
    expect([ran.code, ran.out]).toEqual([0, expect.stringContaining(`had started ${id} before`)]);
    const starts = api.seen.filter(({ path }) => path === '/v1/deployments');
    expect(starts.map(({ headers }) => headers['plan-hash'])).toEqual([aPlan().hash, undefined]);
  });

  test.each<[string, Answer, number, RegExp]>([
    ['a wrong token', problem(401, 'UNAUTHENTICATED'), 2, /\*\*UNAUTHENTICATED\*\*\n\n {4}detail of UNAUTHENTICATED/],
    ['a mistake of the service', problem(500, 'INTERNAL'), 1, /\*\*INTERNAL\*\*/],
    ['a service that stays busy', problem(503, 'WORKER_ABSENT'), 1, /asking again(.*\n)+.*\*\*WORKER_ABSENT\*\*/],
    ['a page of somebody else', () => ({ status: 404, body: '<html>' }), 1, /is it a Lakeshift service\?/],
    ['a redirection', () => ({ status: 302, body: '' }), 1, /answered 302 without a problem/],
  ])('exits as it should with %s', async (_, answer, code, says) => {
    const ran = await against(await service(aView(), { 'POST /v1/plans': answer, 'POST /v1/deployments': answer }));
    expect([ran.code, ran.err]).toEqual([code, expect.stringMatching(says)]);
  });

  test('prints what the service says as an indented block, whatever is in it', async () => {
    const errors = [{ pointer: '/table', detail: '@dana\n\u001b[31m# <img src=x>', didYouMean: 'public.payments' }];
    const refused = problem(422, 'SPEC_INVALID', { errors });
    const ran = await against(await service(aView(), { 'POST /v1/plans': refused, 'POST /v1/deployments': refused }));
    expect(ran.err).toContain('    /table  @dana  [31m# <img src=x> Did you mean public.payments?\n');
  });
});
