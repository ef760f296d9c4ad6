import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { RealService } from '../support/real-service.ts';
import { githubToken, startGitHub, type Comment, type GitHub } from './support/github.ts';
import { runAction, type Job, type JobResult } from './support/run-action.ts';

const adding = (column: string) => ({
  name: `payments-${column}`,
  strategy: 'expand-contract',
  target: 'shop',
  table: 'public.payments',
  changes: [{ add: `${column} text` }],
  contract: { after: '1s' },
});
const marker = /^<!-- lakeshift plan \d+-\d+ -->\n/;

describe('the GitHub action', () => {
  let service: RealService;
  let folder: string;
  let github: GitHub;
  beforeAll(async () => {
    service = await RealService.start();
    await service.payments(500);
    folder = await mkdtemp(join(tmpdir(), 'lakeshift-action-'));
  }, 60_000);
  afterAll(async () => {
    await service.stop();
    await rm(folder, { recursive: true });
  }, 60_000);
  afterEach(() => github.close());

  async function fileOf(spec: object, name = 'spec.yaml'): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, stringify(spec));
    return path;
  }
  const action = (event: Job['event'], spec: string, inputs: Job['inputs'] = {}): Promise<JobResult> =>
    runAction({ event, github: github.address, inputs: { api: service.address, spec, ...inputs } });
  const talk = (count: number): Comment[] =>
    Array.from({ length: count }, (_, i) => ({ id: i + 1, user: { login: 'dana' }, body: `remark ${i + 1}` }));

  test('writes the plan of a pull request as one comment, and writes that anew when the spec has changed', async () => {
    github = await startGitHub([]);
    const first = await action('pull_request', await fileOf(adding('first')));
    expect(first).toMatchObject({ code: 0, err: '', outputs: { id: '', phase: '' } });
    expect(first.outputs['plan-hash']).toMatch(/^[0-9a-f]{64}$/);
    expect(github.comments.map(({ body }) => body)).toEqual([expect.stringMatching(marker)]);
    expect(github.comments[0]?.body).toContain('### payments-first · expand-contract on shop');
    expect(first.summary).toBe(github.comments[0]?.body.replace(marker, ''));

    const second = await action('pull_request', await fileOf(adding('second')));
    expect(second.outputs['plan-hash']).not.toBe(first.outputs['plan-hash']);
    expect(github.comments).toHaveLength(1);
    expect(github.comments[0]?.body).toContain('### payments-second · expand-contract on shop');
  }, 60_000);

  test('finds its comment on the second page, and leaves those alone in which others have written its marker', async () => {
    github = await startGitHub([]);
    const file = await fileOf(adding('paged'));
    await action('pull_request', file);
    const [own] = github.comments.splice(0);
    const others = talk(130);
    const forged: Comment = { id: 500, user: { login: 'mallory' }, body: own?.body ?? '' };
    github.comments.push(forged, ...others, { id: 600, user: { login: 'github-actions[bot]' }, body: own?.body ?? '' });
    const ran = await action('pull_request', await fileOf({ ...adding('paged'), contract: { after: '2d' } }));
    expect(ran.code).toBe(0);
    expect(github.seen.at(-1)).toBe('PATCH /repos/acme/shop/issues/comments/600');
    expect(github.comments).toHaveLength(132);
    expect(github.comments.at(-1)?.body).toContain('| 2d |');
    expect(forged.body).toBe(own?.body);
  }, 60_000);

  test('has a comment for each spec', async () => {
    github = await startGitHub(talk(3));
    await action('pull_request', await fileOf(adding('one'), 'one.yaml'));
    await action('pull_request', await fileOf(adding('two'), 'two.yaml'));
    expect(github.comments).toHaveLength(5);
  }, 60_000);

  test('tells a refused spec in the comment, and fails with 2', async () => {
    github = await startGitHub([]);
    const ran = await action('pull_request', await fileOf({ ...adding('refused'), table: 'public.paymants' }));
    expect([ran.code, ran.outputs]).toEqual([2, { id: '', phase: '', 'plan-hash': '' }]);
    expect(github.comments[0]?.body).toMatch(/^ {4}\/table {2}.*public\.payments/m);
    expect(ran.summary).toContain('**PLAN_REFUSED**');
  }, 60_000);

  test('still plans where it may not comment, and says so', async () => {
    github = await startGitHub([], { readOnly: true });
    const ran = await action('pull_request', await fileOf(adding('fork')));
    expect(ran.code).toBe(0);
    expect(ran.out).toContain('::warning title=Lakeshift::the comment cannot be written');
    expect(ran.summary).toContain('### payments-fork');
  }, 60_000);

  test('writes no comment when it shall not, and none of a pull request on a push', async () => {
    github = await startGitHub([]);
    const quiet = await action('pull_request', await fileOf(adding('quiet')), { comment: 'false' });
    expect([quiet.code, github.seen]).toEqual([0, []]);
    expect(quiet.summary).toContain('### payments-quiet');
  }, 60_000);

  test('starts on a push, waits, and gives id, phase and hash to the next steps; run again it meets the same', async () => {
    github = await startGitHub([]);
    const file = await fileOf(adding('pushed'));
    const first = await action('push', file);
    expect([first.code, first.outputs['phase']]).toEqual([0, 'deployed']);
    const { status } = await service.view(first.outputs['id'] ?? '');
    expect(first.outputs).toEqual({ id: status.id, phase: 'deployed', 'plan-hash': status.planHash });
    expect(first.summary).toContain(`Deployment \`${status.id}\`: deployed`);
    expect((await action('push', file)).outputs).toEqual(first.outputs);
    expect(github.seen).toEqual([]);
  }, 90_000);

  test('says in the comment that nobody has answered, and fails with 1', async () => {
    github = await startGitHub([]);
    const ran = await action('pull_request', await fileOf(adding('nobody')), { api: 'http://a b' });
    expect([ran.code, github.comments[0]?.body]).toEqual([
      1,
      expect.stringContaining('No plan was made (exit code 1)'),
    ]);
  }, 60_000);

  test('ends with the exit code of what happened, and says where it is', async () => {
    github = await startGitHub([]);
    const ran = await action('push', await fileOf({ ...adding('waits'), cutover: { approve: true } }));
    expect([ran.code, ran.outputs['phase']]).toEqual([4, 'waiting-for-approval']);
  }, 90_000);

  test('asks for a command on other events, and takes no other than its own', async () => {
    github = await startGitHub([]);
    const file = await fileOf(adding('none'));
    expect(await action('workflow_dispatch', file)).toMatchObject({ code: 2, outputs: {} });
    expect(await action('push', file, { command: 'destroy' })).toMatchObject({ code: 2, outputs: {} });
    expect(await action('workflow_dispatch', file, { command: 'plan' })).toMatchObject({ code: 0 });
  }, 60_000);

  test('runs nothing of its inputs, and prints nothing of a spec as a command of the runner', async () => {
    github = await startGitHub([]);
    const evil = join(folder, 'evil');
    const inputs = { 'wait-for': `$(touch ${evil})`, timeout: '`id`', command: 'plan', comment: 'true' };
    expect(await action('pull_request', `"; touch ${evil}; "`, inputs)).toMatchObject({ code: 2 });
    const spec = { ...adding('x'), table: 'public.payments\n::error::planted @dana <img src=x>' };
    const ran = await action('pull_request', await fileOf(spec));
    const [, token = ''] = /^::stop-commands::([0-9a-f]{32})$/m.exec(ran.out) ?? [];
    const [before = '', rest = ''] = ran.out.split(`::stop-commands::${token}\n`);
    const [, after = ''] = rest.split(`\n::${token}::\n`);
    expect([before, after]).toEqual(['', '']);
    expect(github.comments.at(-1)?.body).not.toMatch(/^(?! {4}).*(@dana|<img)/m);
    await expect(rm(evil)).rejects.toThrow(/ENOENT/);
  }, 60_000);

  test('prints no token', async () => {
    github = await startGitHub([]);
    const token = 'a-token-that-nobody-may-read';
    const ran = await action('pull_request', await fileOf(adding('secret')), { token });
    expect(ran.code).toBe(0);
    for (const secret of [token, githubToken]) expect(JSON.stringify([ran, github.comments])).not.toContain(secret);
  }, 60_000);
});
