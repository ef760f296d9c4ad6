import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { exitCodes, exitCodeTable } from '../../cli/exit-codes.ts';
import { RealService } from '../support/real-service.ts';
import { centsSpec } from '../support/sql-world.ts';
import { startFront } from './support/front.ts';
import { root, runBash, startBash, type Finished, type Running } from './support/run-script.ts';

const script = 'examples/ci/deploy.sh';
const adding = (column: string) => ({
  name: `payments-${column}`,
  strategy: 'expand-contract',
  target: 'shop',
  table: 'public.payments',
  changes: [{ add: `${column} text` }],
  contract: { after: '1s' },
});

describe('the recipe for CI jobs', () => {
  let service: RealService;
  let folder: string;
  beforeAll(async () => {
    service = await RealService.start();
    await service.payments(500);
    await service.shop.query('CREATE TABLE refunds AS TABLE payments; ALTER TABLE refunds ADD PRIMARY KEY (id)');
    folder = await mkdtemp(join(tmpdir(), 'lakeshift-ci-'));
  }, 60_000);
  afterAll(async () => {
    await service.stop();
    await rm(folder, { recursive: true });
  }, 60_000);

  async function fileOf(spec: Readonly<Record<string, unknown>> & { readonly name: string }): Promise<string> {
    const path = join(folder, `${spec.name}.yaml`);
    await writeFile(path, stringify(spec));
    return path;
  }
  const environment = (more: Readonly<Record<string, string>>): Record<string, string> => ({
    LAKESHIFT_API: service.address,
    LAKESHIFT_COMMIT: 'c0ffee',
    ...more,
  });
  const recipe = (command: string, file: string, more: Readonly<Record<string, string>> = {}): Promise<Finished> =>
    runBash([script, command, file], environment(more));
  const started = ({ out }: Finished): string => /^started (\S+) by the plan [0-9a-f]{64}$/m.exec(out)?.[1] ?? '';
  const met = ({ out }: Finished): string => /^this very request had started (\S+) before/m.exec(out)?.[1] ?? '';
  const deployments = async (): Promise<number> =>
    ((await (await fetch(`${service.address}/v1/deployments`)).json()) as { deployments: unknown[] }).deployments
      .length;

  test('plans as Markdown, starts nothing, and leaves the hash of the plan for the next step', async () => {
    const out = join(folder, 'out-plan');
    const ran = await recipe('plan', await fileOf(adding('planned')), { LAKESHIFT_OUT: out });
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toMatch(/^### payments-planned · expand-contract on shop\n\n\| stage \| waits for /);
    expect(await readFile(join(out, 'plan.md'), 'utf8')).toBe(ran.out);
    const { planHash, ...rest } = JSON.parse(await readFile(join(out, 'result.json'), 'utf8')) as { planHash: string };
    expect(rest).toEqual({ result: 'ok', exit: 0, id: null, phase: null });
    expect(ran.out).toContain(planHash);
    expect(await deployments()).toBe(0);
  }, 60_000);

  test('deploys, tells each phase, and exits with 0; run again it meets the same deployment', async () => {
    const file = await fileOf(adding('remark'));
    const first = await recipe('deploy', file);
    expect(first).toMatchObject({ code: 0, err: '' });
    const id = started(first);
    expect(first.out).toContain('| backfill |');
    expect(first.out).toMatch(/^\d\d:\d\d:\d\d {2}deployed/m);
    expect((await service.view(id)).status.phase).toBe('deployed');
    const again = await recipe('deploy', file);
    expect([again.code, met(again)]).toEqual([0, id]);
    const another = await recipe('deploy', file, { LAKESHIFT_COMMIT: 'decaf' });
    expect([another.code, started(another), met(another)]).toEqual([2, '', '']);
    expect(another.err).toContain('/changes/0/add');
  }, 90_000);

  test('shows the field of a spec that is refused, and exits with 2', async () => {
    const out = join(folder, 'out-refused');
    const file = await fileOf({ ...adding('refused'), table: 'public.paymants' });
    const ran = await recipe('deploy', file, { LAKESHIFT_OUT: out });
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(/^\*\*PLAN_REFUSED\*\*$/m);
    expect(ran.err).toMatch(/^ {4}\/table {2}.*public\.payments/m);
    expect(await readFile(join(out, 'problem.md'), 'utf8')).toBe(ran.err);
    expect(JSON.parse(await readFile(join(out, 'result.json'), 'utf8'))).toMatchObject({ result: 'refused', exit: 2 });
  }, 60_000);

  test('starts the very plan of an earlier job, or nothing', async () => {
    const file = await fileOf(adding('approved'));
    const planned = await recipe('plan', file);
    const hash = /[0-9a-f]{64}/.exec(planned.out)?.[0] ?? '';
    const wrong = await recipe('deploy', file, { LAKESHIFT_PLAN_HASH: 'f'.repeat(64) });
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('**PLAN_STALE**')]);
    const ran = await recipe('deploy', file, { LAKESHIFT_PLAN_HASH: hash });
    expect([ran.code, started(ran)]).not.toContain('');
    expect(ran.out).toContain(`by the plan ${hash}`);
  }, 90_000);

  test('asks a busy service again, gives it the token, and never prints that, not even in a trace', async () => {
    const front = await startFront(service.address, 2);
    const token = 'a-token-that-nobody-may-read';
    const file = await fileOf(adding('busy'));
    const ran = await runBash(['-x', script, 'deploy', file], {
      ...environment({ LAKESHIFT_API: front.address, LAKESHIFT_TOKEN: token }),
    });
    await front.close();
    expect([ran.code, started(ran)]).not.toContain('');
    expect(ran.code).toBe(0);
    expect(ran.err.match(/the service answered 503 \); asking again in \d s/g)).toHaveLength(2);
    expect(new Set(front.seen.map(({ headers }) => headers.authorization))).toEqual(new Set([`Bearer ${token}`]));
    expect(ran.out + ran.err).not.toContain(token);
  }, 90_000);

  test('exits with 1 when nobody answers, at once when the address can not be one', async () => {
    const file = await fileOf(adding('nobody'));
    const closed = await startFront(service.address, 0);
    await closed.close();
    const nobody = await recipe('deploy', file, { LAKESHIFT_API: closed.address, LAKESHIFT_RETRY_FOR: '1s' });
    expect([nobody.code, nobody.err]).toEqual([1, expect.stringContaining(`${closed.address} could not be reached`)]);
    const elsewhere = await recipe('deploy', file, { LAKESHIFT_API: 'http://a b' });
    expect([elsewhere.code, elsewhere.err]).toEqual([1, expect.not.stringContaining('asking again')]);
  }, 60_000);

  describe('with a deployment that waits for people', () => {
    const spec = { ...centsSpec, name: 'refunds-cents', table: 'public.refunds' };
    const file = (): Promise<string> =>
      fileOf({ ...spec, cutover: { approve: true }, contract: { after: '7d', approve: true } });
    let id = '';

    test('says at once what it has started when it shall not wait', async () => {
      const ran = await recipe('deploy', await file(), { LAKESHIFT_WAIT_FOR: 'started' });
      id = started(ran);
      expect([ran.code, id]).toEqual([0, expect.stringMatching(/^refunds-cents-/)]);
    }, 60_000);

    test('exits with 4 when an approval is needed', async () => {
      const ran = await recipe('deploy', await file());
      expect([ran.code, met(ran)]).toEqual([4, id]);
      expect(ran.out).toMatch(/ {2}waiting-for-approval · stage cutover/);
    }, 60_000);

    test('exits with 6 when it still waits at the end of its time', async () => {
      const ran = await recipe('deploy', await file(), { LAKESHIFT_WAIT_FOR: 'ended', LAKESHIFT_TIMEOUT: '2s' });
      expect([ran.code, ran.err]).toEqual([6, `${id} is still going on after 2s\n`]);
    }, 60_000);

    test('exits with 130 when it is interrupted, and what was started goes on', async () => {
      const running: Running = startBash(
        [script, 'deploy', await file()],
        environment({ LAKESHIFT_WAIT_FOR: 'ended' }),
      );
      await service.until('the phase', async () => (running.said().includes('waiting-for-approval') ? true : null));
      running.kill('SIGTERM');
      expect(await running.done).toMatchObject({ code: 130, err: expect.stringContaining('goes on') as unknown });
      expect((await service.view(id)).status.phase).toBe('waiting-for-approval');
    }, 60_000);

    test('stays through an approval until the phase that it waits for', async () => {
      await service.approve(id);
      const ran = await recipe('deploy', await file(), { LAKESHIFT_WAIT_FOR: 'in-grace' });
      expect([ran.code, met(ran)]).toEqual([0, id]);
      expect((await service.view(id)).status.phase).toBe('in-grace');
    }, 60_000);

    test('exits with 3 when everything was taken back', async () => {
      await service.order(id, 'rollback');
      const ran = await recipe('deploy', await file(), { LAKESHIFT_WAIT_FOR: 'ended' });
      expect([ran.code, met(ran)]).toEqual([3, id]);
    }, 60_000);
  });

  test.each([
    ['a phase that there is not', { LAKESHIFT_WAIT_FOR: 'in-space' }, /one of starting, .*, not in-space/],
    ['a time without a unit', { LAKESHIFT_TIMEOUT: '90' }, /LAKESHIFT_TIMEOUT must be .*, not 90/],
    ['an address without a scheme', { LAKESHIFT_API: 'lakeshift.example' }, /LAKESHIFT_API must be an address/],
    ['a token with a line break', { LAKESHIFT_TOKEN: 'one\nx-evil: two' }, /^LAKESHIFT_TOKEN holds a blank/],
    ['a key with a blank', { LAKESHIFT_KEY: 'a b' }, /^LAKESHIFT_KEY must be/],
  ])('refuses %s before anything is started', async (_, more, says) => {
    const before = await deployments();
    const ran = await recipe('deploy', await fileOf(adding('never')), more);
    expect([ran.code, ran.err]).toEqual([2, expect.stringMatching(says)]);
    expect(await deployments()).toBe(before);
  });

  test('refuses a file that is not there and a command that is none', async () => {
    expect(await recipe('deploy', 'no/such.yaml')).toMatchObject({ code: 2 });
    expect(await recipe('destroy', await fileOf(adding('never')))).toMatchObject({ code: 2 });
  });
});

test('the recipe lists the exit codes of the command line', async () => {
  const comment = (await readFile(join(root, script), 'utf8'))
    .split('\n')
    .filter((line) => /^# {2,}\d+ {2}/.test(line))
    .map((line) => line.slice(2));
  expect(comment.join('\n')).toBe(exitCodeTable().replaceAll(/^ {2}/gm, '  '));
  expect(comment).toHaveLength(Object.keys(exitCodes).length);
});
