import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeploymentView } from '../../contracts/api.ts';
import { aPlan, aProgress, aReport, aStatus, aView, aWaiting, anEnd, now } from './support/fixtures.ts';
import { type Answer, type FakeApi, inTurn, ok, problem, startFakeApi } from './support/fake-api.ts';
import { lakeshift, type Ran } from './support/run.ts';

const id = 'payments-cents-1a2b3c4d';
const one = `/v1/deployments/${id}`;
const specFile = 'examples/01-cents-instead-of-decimals.yaml';

let api: FakeApi | null = null;
afterEach(async () => {
  await api?.close();
  api = null;
});

/** Starts a fake with these routes and runs one command line against it. */
async function against(routes: Readonly<Record<string, Answer>>, ...args: readonly string[]): Promise<Ran> {
  api = await startFakeApi(routes);
  return lakeshift(args, { api: api.address });
}
const asked = (route: string) => {
  const [method, path] = route.split(' ');
  const found = api?.seen.filter((seen) => seen.method === method && seen.path === path).at(-1);
  if (found === undefined) throw new Error(`${route} was not asked`);
  return found;
};

describe('lakeshift plan', () => {
  it('sends the file as it is written and shows the plan', async () => {
    const { code, out } = await against({ 'POST /v1/plans': ok({ plan: aPlan() }) }, 'plan', specFile);

    expect(code).toBe(0);
    expect(out).toContain('◀ point of no return');
    expect(asked('POST /v1/plans').headers['content-type']).toBe('application/yaml');
    expect(asked('POST /v1/plans').body).toContain('# a database of lakeshift.yaml');
  });

  it('ends with the command that starts this very plan, its whole hash in it', async () => {
    const { out } = await against({ 'POST /v1/plans': ok({ plan: aPlan() }) }, 'plan', specFile);
    expect(out.split('\n').at(-2)).toBe(`  lakeshift deploy ${specFile} --plan ${aPlan().hash}`);
    expect(aPlan().hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('prints SQL with --sql', async () => {
    const { out } = await against({ 'POST /v1/plans': ok({ plan: aPlan() }) }, 'plan', '--sql', specFile);
    expect(out).toContain('alter table public.payments add column amount_cents bigint;\n');
  });

  it('prints the page that the service writes with --markdown', async () => {
    const page: Answer = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/markdown' }).end('### payments-cents\n');
      return undefined;
    };
    const { code, out } = await against({ 'POST /v1/plans': page }, 'plan', '--markdown', specFile);
    expect([code, out]).toEqual([0, '### payments-cents\n']);
    expect(asked('POST /v1/plans').headers['accept']).toBe('text/markdown');
  });

  it.each(['--sql', '--json'])('takes --markdown or %s, not both', async (other) => {
    const { code } = await against({}, 'plan', '--markdown', other, specFile);
    expect([code, api?.seen]).toEqual([2, []]);
  });

  it('prints the plan as one document with --json', async () => {
    const { out } = await against({ 'POST /v1/plans': ok({ plan: aPlan() }) }, 'plan', '--json', specFile);
    expect(JSON.parse(out)).toEqual({ plan: JSON.parse(JSON.stringify(aPlan())) as unknown });
  });

  it('shows all problems of a spec with their pointers and exits with 2', async () => {
    const errors = ['/a', '/b/0', '/c', '/d', '/e'].map((pointer) => ({ pointer, detail: `is wrong at ${pointer}` }));
    const { code, out, err } = await against(
      { 'POST /v1/plans': problem(422, 'SPEC_INVALID', { errors }) },
      'plan',
      specFile,
    );

    expect(code).toBe(2);
    expect(out).toBe('');
    for (const { pointer, detail } of errors) expect(err).toMatch(new RegExp(`${pointer} +${detail}`));
  });

  it('shows the findings of a refused plan', async () => {
    const findings = [{ code: 'NO_KEY', level: 'refused', detail: 'the table has no key' }];
    const { code, err } = await against(
      { 'POST /v1/plans': problem(422, 'PLAN_REFUSED', { findings }) },
      'plan',
      specFile,
    );
    expect(code).toBe(2);
    expect(err).toContain('refused  the table has no key');
  });

  it('refuses a file that is not there without asking anybody', async () => {
    const { code, err } = await against({}, 'plan', 'examples/none.yaml');
    expect([code, err]).toEqual([2, "examples/none.yaml can't be read (ENOENT)\n"]);
    expect(api?.seen).toEqual([]);
  });
});

describe('lakeshift deploy', () => {
  const created =
    (view: DeploymentView): Answer =>
    () => ({ status: 201, body: view });

  it('starts a deployment, shows it and leaves', async () => {
    const { code, out } = await against({ 'POST /v1/deployments': created(aView()) }, 'deploy', specFile);

    expect(code).toBe(0);
    expect(out).toContain(`${id} · backfilling`);
    expect(asked('POST /v1/deployments').headers['idempotency-key']).toBeUndefined();
  });

  it.each([
    ['--key', ['--key', 'release-7'], /^release-7$/],
    ['--again', ['--again'], /^[0-9a-f-]{36}$/],
  ])('sends a key of its own with %s', async (_option, options, key) => {
    await against({ 'POST /v1/deployments': created(aView()) }, 'deploy', specFile, ...options);
    expect(asked('POST /v1/deployments').headers['idempotency-key']).toMatch(key);
  });

  it('names the plan that was shown with --plan, and none without it', async () => {
    const planHash = aStatus().planHash;
    await against({ 'POST /v1/deployments': created(aView()) }, 'deploy', specFile, '--plan', planHash);
    expect(asked('POST /v1/deployments').headers['plan-hash']).toBe(planHash);
    await api?.close();
    await against({ 'POST /v1/deployments': created(aView()) }, 'deploy', specFile);
    expect(asked('POST /v1/deployments').headers['plan-hash']).toBeUndefined();
  });

  it('asks for the whole hash with --plan, without asking anybody', async () => {
    const { code, err } = await against({}, 'deploy', specFile, '--plan', '7c1e0f55');
    expect(code).toBe(2);
    expect(err).toContain('all 64 hex digits');
    expect(api?.seen).toEqual([]);
  });

  it('exits with 2 when what it finds was started by another plan than that of --plan', async () => {
    const other = 'e'.repeat(64);
    const { code, err } = await against({ 'POST /v1/deployments': ok(aView()) }, 'deploy', specFile, '--plan', other);
    expect(code).toBe(2);
    expect(err).toContain(`deployed before as ${id}, by the plan ${aStatus().planHash.slice(0, 8)}…; --again`);
  });

  it('refuses --again with --key', async () => {
    const { code, err } = await against({}, 'deploy', specFile, '--again', '--key', 'x');
    expect(code).toBe(2);
    expect(err).toContain('leave out --key');
  });

  it.each([
    ['deployed', anEnd('deployed'), 0],
    ['refused by its preflight', anEnd('refused'), 2],
    ['rolled back', anEnd('rolled-back'), 3],
    ['waiting for an approval', aWaiting(), 4],
    ['paused', aStatus({ phase: 'paused', paused: true }), 4],
    [
      'parked',
      aStatus({
        phase: 'needs-attention',
        progress: aProgress(2, { parked: { code: 'SQL_FAILED', detail: 'x' } }),
      }),
      5,
    ],
  ])('waits until it is %s', async (_what, last, exit) => {
    const routes = {
      'POST /v1/deployments': created(aView()),
      [`GET ${one}`]: inTurn(ok(aView()), ok(aView(last, { seq: 9 }))),
    };
    const { code, out } = await against(routes, 'deploy', specFile, '--wait');

    expect(code).toBe(exit);
    expect(out.split('\n')[0]).toContain(id);
    expect(Object.fromEntries(asked(`GET ${one}`).query)).toEqual({ wait: '30s', for: 'change', after: '5' });
  });

  it.each([
    ['cutover', aWaiting(), 0],
    ['verify', aWaiting(), 0],
    ['waiting-for-approval', aWaiting(), 0],
    ['verifying', aWaiting(), 0],
    ['cutting-over', aWaiting(), 4],
    ['in-grace', aWaiting(), 4],
    ['contract', anEnd('deployed'), 0],
    ['cutover', anEnd('rolled-back'), 3],
  ])('stays until %s and says how it went', async (place, last, exit) => {
    const routes = {
      'POST /v1/deployments': created(aView()),
      [`GET ${one}`]: inTurn(ok(aView()), ok(aView(last, { seq: 9 }))),
    };
    expect((await against(routes, 'deploy', specFile, '--until', place)).code).toBe(exit);
  });

  it('refuses a place that it never comes to, and names those it does', async () => {
    const { code, err } = await against(
      { 'POST /v1/deployments': created(aView()) },
      'deploy',
      specFile,
      '--until',
      'cutter',
    );
    expect(code).toBe(2);
    expect(err).toMatch(/no stage or phase cutter.*cutover.*in-grace/s);
  });

  it('gives up with 6 when the time is up, and the deployment goes on', async () => {
    const never: Answer = () => undefined;
    const routes = { 'POST /v1/deployments': created(aView()), [`GET ${one}`]: inTurn(ok(aView()), never) };
    const { code, err } = await against(routes, 'deploy', specFile, '--wait', '--timeout', '300ms');

    expect(code).toBe(6);
    expect(err).toContain('still going on');
  });

  it('shows each stage once as it goes, and stays until the end with --watch', async () => {
    const live = {
      id,
      stage: 'backfill',
      rows: 64,
      totalRows: 100,
      rate: 8,
      secondsToGo: 4,
      pace: 'full speed',
      at: now,
    };
    const routes = {
      'POST /v1/deployments': created(aView()),
      [`GET ${one}`]: inTurn(
        ok(aView()),
        ok(aView(aStatus(), { live })),
        ok(aView(aWaiting(), { seq: 8 })),
        ok(aView(anEnd('deployed'), { seq: 9 })),
      ),
    };
    const { code, out } = await against(routes, 'deploy', specFile, '--watch');

    expect(code).toBe(0);
    expect(out).toMatch(/▸ backfill +64 % .*64 rows · 8\/s · 4 s to go · full speed/);
    expect(out).toContain('waiting for approval of cutover');
    expect(out.match(/✓ expand/g)).toHaveLength(1);
    expect(out).toContain('deployed: because it was asked');
    expect(out).not.toContain('\u001b');
  });

  it('draws in place on a terminal, and without colour under NO_COLOR', async () => {
    const routes = {
      'POST /v1/deployments': created(aView()),
      [`GET ${one}`]: inTurn(ok(aView()), ok(aView(anEnd('deployed'), { seq: 9 }))),
    };
    api = await startFakeApi(routes);
    const args = ['deploy', specFile, '--watch'];
    const shown = await lakeshift(args, { api: api.address, isTerminal: true, env: { NO_COLOR: '1' } });

    expect(shown.out).toContain('\u001b[7A\r\u001b[J');
    expect(shown.out).not.toMatch(/\u001b\[3\dm/);
  });

  it('gives one document with --wait --json', async () => {
    const last = aView(anEnd('deployed'), { seq: 9 });
    const { out } = await against(
      { 'POST /v1/deployments': created(aView()), [`GET ${one}`]: ok(last) },
      'deploy',
      specFile,
      '--wait',
      '--json',
    );
    expect(JSON.parse(out)).toEqual(last);
  });

  it('names the deployment that holds the table', async () => {
    const { code, err } = await against(
      { 'POST /v1/deployments': problem(409, 'TARGET_TAKEN', { holder: 'other-1' }) },
      'deploy',
      specFile,
    );
    expect(code).toBe(2);
    expect(err).toContain('held by other-1');
  });
});

describe('staying with a deployment', () => {
  it('outlives a restart of the service', async () => {
    const dropped: Answer = (_seen, response) => {
      response.destroy();
      return undefined;
    };
    const routes = {
      [`GET ${one}`]: inTurn(
        ok(aView()),
        ok(aView()),
        dropped,
        problem(503, 'LEDGER_UNREACHABLE'),
        ok(aView(anEnd('deployed'), { seq: 9 })),
      ),
    };
    const { code, err } = await against(routes, 'watch', id);

    expect(code).toBe(0);
    expect(err).toMatch(/trying again\n.*the service answers again\n/s);
  });

  it('ends at once when the answer is not one that may pass', async () => {
    const { code } = await against(
      { [`GET ${one}`]: inTurn(ok(aView()), ok(aView()), problem(401, 'UNAUTHENTICATED')) },
      'watch',
      id,
    );
    expect(code).toBe(2);
  });

  it('ends with 130 when it is interrupted', async () => {
    const never: Answer = () => undefined;
    api = await startFakeApi({ [`GET ${one}`]: inTurn(ok(aView()), ok(aView()), never) });
    const interrupt = new AbortController();
    const running = lakeshift(['watch', id], { api: api.address, signal: interrupt.signal });
    while (api.seen.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    interrupt.abort();

    expect(await running).toMatchObject({ code: 130, err: 'stopped; what was started goes on in the service\n' });
  });
});

describe('lakeshift watch --json', () => {
  const event = (seq: number, kind: string): string =>
    `id: ${seq}\nevent: ${kind}\ndata: ${JSON.stringify({ seq, at: now, kind, stage: null, text: kind, data: {} })}\n\n`;
  const progress = `event: progress\ndata: ${JSON.stringify({ id, stage: 'backfill', rows: 1 })}\n\n`;
  const stream =
    (...parts: readonly string[]): Answer =>
    (_seen, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`: hello\n\n${parts.join('')}`);
      return undefined;
    };

  it('prints one document a line, goes on where a broken stream ended, and the status last', async () => {
    const end = aView(anEnd('rolled-back'), { seq: 3 });
    const routes = {
      [`GET ${one}`]: inTurn(ok(aView()), ok(aView()), ok(aView()), ok(end)),
      [`GET ${one}/events`]: inTurn(
        stream(event(1, 'started'), progress),
        stream(event(2, 'undo-began'), event(3, 'ended')),
      ),
    };
    const { code, out } = await against(routes, 'watch', '--json', id);

    expect(code).toBe(3);
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; event?: { seq: number } });
    expect(lines.map(({ type, event: of }) => (of === undefined ? type : `${type} ${of.seq}`))).toEqual([
      'event 1',
      'progress',
      'event 2',
      'event 3',
      'status',
    ]);
    const starts = api?.seen.filter(({ path }) => path.endsWith('/events')).map(({ query }) => query.get('after'));
    expect(starts).toEqual(['0', '1']);
  });
});

describe('lakeshift list, show, report and targets', () => {
  const summary = { ...aStatus(), startedBy: 'ada' };

  it('list: asks for what was filtered and shows a line each', async () => {
    const args = ['list', '--phase', 'backfilling', '--phase', 'paused', '--target', 'shop', '--open'];
    const { code, out } = await against({ 'GET /v1/deployments': ok({ deployments: [summary], next: null }) }, ...args);

    expect(code).toBe(0);
    expect(out).toContain(id);
    expect(asked('GET /v1/deployments').query.toString()).toBe(
      'phase=backfilling&phase=paused&target=shop&open=true&limit=50',
    );
  });

  it('list: follows pages up to the limit', async () => {
    const page = (next: string | null): Answer => ok({ deployments: [summary, summary], next });
    const { out } = await against(
      { 'GET /v1/deployments': inTurn(page('c1'), page('c2'), page(null)) },
      'list',
      '--limit',
      '3',
      '--json',
    );

    expect((JSON.parse(out) as { deployments: unknown[] }).deployments).toHaveLength(3);
    expect(api?.seen.map(({ query }) => query.get('cursor'))).toEqual([null, 'c1']);
  });

  it('show: tells where it is, and exits with 0 whatever its phase', async () => {
    const { code, out } = await against({ [`GET ${one}`]: ok(aView(aWaiting())) }, 'show', id);
    expect(code).toBe(0);
    expect(out).toContain('waiting for approval of cutover');
    expect(out).toContain('http://127.0.0.1:8233/');
  });

  it('show: takes the beginning of an id', async () => {
    const routes = {
      'GET /v1/deployments': ok({ deployments: [{ ...summary, id: 'other-1' }, summary], next: null }),
      [`GET ${one}`]: ok(aView()),
    };
    expect((await against(routes, 'show', 'payments-cents-1a')).out).toContain(`${id} · backfilling`);
  });

  it('show: refuses a beginning that fits several, and names them', async () => {
    const deployments = [summary, { ...summary, id: 'payments-cents-1affffff' }];
    const { code, err } = await against(
      { 'GET /v1/deployments': ok({ deployments, next: null }) },
      'show',
      'payments-cents-1',
    );
    expect([code, err]).toEqual([2, `payments-cents-1 fits 2 deployments: ${id}, payments-cents-1affffff\n`]);
  });

  it('show: says that there is no such deployment', async () => {
    const { code, err } = await against({ 'GET /v1/deployments': ok({ deployments: [], next: null }) }, 'show', 'none');
    expect(code).toBe(2);
    expect(err).toContain('NOT_FOUND');
  });

  it('report: prints what happened', async () => {
    const routes = { [`GET ${one}`]: ok(aView(anEnd('deployed'))), [`GET ${one}/report`]: ok(aReport()) };
    const { code, out } = await against(routes, 'report', id);
    expect(code).toBe(0);
    expect(out).toContain('errors caused by this deployment  0');
  });

  it('targets: lists them', async () => {
    const targets = [{ name: 'shop', dialect: 'postgres', taskQueue: 'lakeshift' }];
    const { out } = await against({ 'GET /v1/targets': ok({ targets }) }, 'targets');
    expect(out).toBe('target  dialect   task queue\nshop    postgres  lakeshift\n');
  });

  it.each([
    ['list', ['list']],
    ['show', ['show', id]],
    ['report', ['report', id]],
    ['targets', ['targets']],
  ])('%s --json prints one document', async (_name, args) => {
    const routes = {
      'GET /v1/deployments': ok({ deployments: [summary], next: null }),
      [`GET ${one}`]: ok(aView()),
      [`GET ${one}/report`]: ok(aReport()),
      'GET /v1/targets': ok({ targets: [] }),
    };
    const { code, out } = await against(routes, ...args, '--json');
    expect(code).toBe(0);
    expect(typeof JSON.parse(out)).toBe('object');
  });
});

describe('orders on the command line', () => {
  const planHash = aStatus().planHash;

  it.each([
    ['pause', [], {}],
    ['resume', [], {}],
    ['abort', [], {}],
    ['rollback', [], {}],
    ['retry', [], {}],
    ['approve', [], { planHash }],
    ['reject', ['--plan-hash', '7c1e0f55'], { planHash }],
    ['skip', ['--plan-hash', 'f'.repeat(64)], { planHash: 'f'.repeat(64) }],
    ['extend', ['--by', '3d'], { by: '3d' }],
    ['set-rate', ['--rate', '500'], { rowsPerSecond: 500 }],
    ['set-rate', ['--rate', 'none'], { rowsPerSecond: null }],
  ])('%s %j sends the stage just shown, the reason and %j', async (order, options, extra) => {
    const routes = { [`GET ${one}`]: ok(aView()), [`POST ${one}/${order}`]: ok(aView()) };
    const { code, out } = await against(routes, order, id, '--reason', 'busy hour', ...options);

    expect(code).toBe(0);
    expect(out).toContain(`${id} · backfilling at backfill`);
    expect(JSON.parse(asked(`POST ${one}/${order}`).body)).toEqual({
      stage: 'backfill',
      reason: 'busy hour',
      ...extra,
    });
  });

  it('shows the deployment once the ledger knows of the order', async () => {
    const routes = {
      [`GET ${one}`]: inTurn(ok(aView(aWaiting())), ok(aView(anEnd('rolled-back'), { seq: 6 }))),
      [`POST ${one}/abort`]: ok(aView(aWaiting())),
    };
    const { out } = await against(routes, 'abort', id, '--reason', 'x');
    expect(out).toContain('abort at cutover: taken · now rolled-back');
    expect(Object.fromEntries(asked(`GET ${one}`).query)).toEqual({ wait: '3s', for: 'change', after: '5' });
  });

  it('is content with the answer to the order when the ledger can not be asked', async () => {
    const routes = {
      [`GET ${one}`]: inTurn(ok(aView()), problem(503, 'LEDGER_UNREACHABLE')),
      [`POST ${one}/pause`]: ok(aView()),
    };
    expect(await against(routes, 'pause', id, '--reason', 'x')).toMatchObject({ code: 0, err: '' });
  });

  it('an approval is bound to the evidence for its stage', async () => {
    const routes = { [`GET ${one}`]: ok(aView(aWaiting())), [`POST ${one}/approve`]: ok(aView()) };
    await against(routes, 'approve', id, '--reason', 'looked');
    expect(JSON.parse(asked(`POST ${one}/approve`).body)).toEqual({
      stage: 'cutover',
      reason: 'looked',
      planHash,
      evidenceHash: 'e5'.repeat(32),
    });
  });

  it('evidence for another stage is not sent along', async () => {
    const routes = { [`GET ${one}`]: ok(aView(aWaiting())), [`POST ${one}/approve`]: ok(aView()) };
    await against(routes, 'approve', id, '--reason', 'x', '--stage', 'contract');
    expect(JSON.parse(asked(`POST ${one}/approve`).body)).toEqual({ stage: 'contract', reason: 'x', planHash });
  });

  it.each([
    ['ORDER_STALE', 409, 2],
    ['ORDER_REPEATED', 409, 2],
    ['ORDER_IMPOSSIBLE', 409, 2],
    ['FORBIDDEN', 403, 2],
    ['ENGINE_UNREACHABLE', 503, 1],
  ])('%s shows what would be possible', async (failure, status, exit) => {
    const routes = {
      [`GET ${one}`]: ok(aView()),
      [`POST ${one}/resume`]: problem(status, failure, { possible: ['pause', 'abort'] }),
    };
    const { code, err } = await against(routes, 'resume', id, '--reason', 'x');
    expect(code).toBe(exit);
    expect(err).toContain('possible now: pause, abort');
  });

  it.each(['ffffffff', '7c1e'])('an approval of the plan %s is refused before it is sent', async (hash) => {
    const args = ['approve', id, '--reason', 'x', '--plan-hash', hash];
    const { code, err } = await against({ [`GET ${one}`]: ok(aView()) }, ...args);
    expect(code).toBe(2);
    expect(err).toContain(`is 7c1e0f55…, not ${hash}`);
  });

  it('an ended deployment takes none', async () => {
    const { code, err } = await against({ [`GET ${one}`]: ok(aView(anEnd('deployed'))) }, 'pause', id, '--reason', 'x');
    expect([code, err]).toEqual([2, `${id} has ended: deployed\n`]);
  });

  it.each([
    ['without a reason', ['pause', id]],
    ['with a rate of 0', ['set-rate', id, '--reason', 'x', '--rate', '0']],
    ['with a duration that is none', ['extend', id, '--reason', 'x', '--by', 'soon']],
    ['that does not exist', ['explode', id]],
  ])('an order %s is refused before anybody is asked', async (_what, args) => {
    const { code, err } = await against({}, ...args);
    expect(code).toBe(2);
    expect(err).toContain('error:');
    expect(api?.seen).toEqual([]);
  });
});

describe('lakeshift doctor', () => {
  it('is content when a worker answers for each target', async () => {
    const routes = {
      'GET /health/ready': ok({ status: 'ok', checks: { temporal: 'ok', ledger: 'ok' } }),
      'GET /v1/targets': ok({ targets: [{ name: 'shop', dialect: 'postgres', taskQueue: 'q' }] }),
      'POST /v1/plans': problem(422, 'PLAN_REFUSED'),
    };
    const { code, out } = await against(routes, 'doctor');
    expect(out).toMatch(/✓ API .*temporal ok · ledger ok/);
    expect(out).toMatch(/✓ target shop +a worker answers and reaches it/);
    expect(code).toBe(0);
  });

  it('names everything that is wrong together: configuration, service, worker, Temporal', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lakeshift-doctor-'));
    const config = join(folder, 'lakeshift.yaml');
    await writeFile(config, 'targets: 7\napis: {}\n');
    api = await startFakeApi({
      'GET /health/ready': problem(503, 'ENGINE_UNREACHABLE'),
      'GET /v1/targets': ok({ targets: [{ name: 'shop', dialect: 'postgres', taskQueue: 'q' }] }),
      'POST /v1/plans': problem(503, 'WORKER_ABSENT'),
    });
    const env = { LAKESHIFT_CONFIG: config, TEMPORAL_ADDRESS: '127.0.0.1:1' };
    const { code, out } = await lakeshift(['doctor'], { api: api.address, env });
    await rm(folder, { recursive: true });

    expect(code).toBe(1);
    expect(out).toMatch(/✗ configuration.*\n( {4}.*\n)+/);
    expect(out).toMatch(/✗ API +ENGINE_UNREACHABLE/);
    expect(out).toMatch(/✗ target shop +WORKER_ABSENT/);
    expect(out).toMatch(/✗ search attributes/);
  });
});

describe('lakeshift doctor, of channels', () => {
  const routes = { 'GET /health/ready': ok({ status: 'ok', checks: {} }), 'GET /v1/targets': ok({ targets: [] }) };
  const doctor = async (address: string) => {
    const folder = await mkdtemp(join(tmpdir(), 'lakeshift-doctor-'));
    const config = join(folder, 'lakeshift.yaml');
    const rest = 'ledger: { url: "postgres://db/ledger" }\napi: { open: true }\napprovals: { trustTemporal: true }\n';
    await writeFile(config, `${rest}notify: { ops: { kind: slack, url: "\${env:OPS}" } }\n`);
    api = await startFakeApi(routes);
    const env = { LAKESHIFT_CONFIG: config, TEMPORAL_ADDRESS: '127.0.0.1:1', OPS: address };
    const { out } = await lakeshift(['doctor'], { api: api.address, env });
    await rm(folder, { recursive: true });
    return out;
  };

  it('names what is wrong with one, without its address', async () => {
    const out = await doctor('http://x.example/s3cret');
    expect(out).toMatch(/✗ configuration.*\n {4}notify\.ops\.url must begin with https:/);
    expect(out).not.toContain('s3cret');
  });

  it('counts those that may be right', async () => {
    const out = await doctor('https://x.example/s3cret');
    expect(out.replaceAll(/\s+/g, ' ')).toMatch(/✓ configuration [^✗]*, no targets, 1 channel /);
    expect(out).not.toContain('s3cret');
  });
});

describe('the address and the name that the command line uses', () => {
  const targets = { 'GET /v1/targets': ok({ targets: [] }) };

  it('comes from --api before LAKESHIFT_API, and ignores a path', async () => {
    api = await startFakeApi(targets);
    const { code } = await lakeshift(['targets', '--api', `${api.address}/docs`], { api: 'http://127.0.0.1:1' });
    expect(code).toBe(0);
  });

  it('comes from the embedded service that runs here', async () => {
    api = await startFakeApi(targets);
    const home = await mkdtemp(join(tmpdir(), 'lakeshift-home-'));
    await mkdir(join(home, 'run'));
    await writeFile(join(home, 'run', 'api.json'), JSON.stringify({ address: api.address }));
    const { code } = await lakeshift(['targets'], { env: { LAKESHIFT_HOME: home } });
    await rm(home, { recursive: true });
    expect(code).toBe(0);
  });

  it('is refused when it is none', async () => {
    const { code, err } = await lakeshift(['targets', '--api', 'shop']);
    expect(code).toBe(2);
    expect(err).toContain('shop is not the address of an API');
  });

  it('brings the token and, for an open service, name and groups', async () => {
    api = await startFakeApi(targets);
    const env = { LAKESHIFT_TOKEN: 'secret-1', LAKESHIFT_ACTOR: 'ada', LAKESHIFT_GROUPS: 'dba' };
    await lakeshift(['targets', '--groups', 'dba,ml'], { api: api.address, env });
    expect(asked('GET /v1/targets').headers).toMatchObject({
      authorization: 'Bearer secret-1',
      'x-lakeshift-actor': 'ada',
      'x-lakeshift-groups': 'dba,ml',
    });
  });

  it('is named when nobody answers there, with exit 1', async () => {
    const { code, err } = await lakeshift(['targets'], { api: 'http://127.0.0.1:1' });
    expect(code).toBe(1);
    expect(err).toMatch(/no answer from http:\/\/127\.0\.0\.1:1 \(.+\)/);
  });

  it('is doubted when somebody else answers there', async () => {
    const { code, err } = await against({ 'GET /v1/targets': () => ({ status: 502, body: '<html>' }) }, 'targets');
    expect(code).toBe(1);
    expect(err).toContain('is it a Lakeshift service?');
  });

  it('gives failures as a document with --json', async () => {
    const refused = await against({ 'GET /v1/targets': problem(401, 'UNAUTHENTICATED') }, 'targets', '--json');
    expect(JSON.parse(refused.out)).toMatchObject({ error: { code: 'UNAUTHENTICATED', status: 401 } });
    const nobody = await lakeshift(['targets', '--json'], { api: 'http://127.0.0.1:1' });
    expect(JSON.parse(nobody.out)).toMatchObject({ error: { code: 'UNREACHABLE' } });
  });
});

describe('the help', () => {
  let help: Ran;
  beforeAll(async () => {
    help = await lakeshift(['--help']);
  });

  it('lists the exit codes and exits with 0', () => {
    expect(help.code).toBe(0);
    for (const code of [0, 1, 2, 3, 4, 5, 6, 130]) expect(help.out).toMatch(new RegExp(`^ +${code}  \\w`, 'm'));
  });

  it.each(['plan', 'deploy', 'list', 'show', 'watch', 'report', 'approve', 'set-rate', 'targets', 'doctor'])(
    'names %s',
    (command) => {
      expect(help.out).toMatch(new RegExp(`^ {2}${command} `, 'm'));
    },
  );
});
