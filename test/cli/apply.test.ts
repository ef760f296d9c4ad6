import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApplyResult } from '../../contracts/api.ts';
import { inTurn, ok, problem, startFakeApi, type Answer, type FakeApi } from './support/fake-api.ts';
import { lakeshift, type Ran } from './support/run.ts';

let folder: string;
let api: FakeApi | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeshift-apply-'));
});
afterEach(async () => {
  await api?.close();
  api = undefined;
  await rm(folder, { recursive: true });
});

const write = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);
const specText = (name: string): string => `name: ${name}\nchanges:\n  - add: note text\n    up: "'x'"\n`;
const result = (name: string, more: Partial<ApplyResult> = {}): ApplyResult => ({
  name,
  action: 'unchanged',
  deployment: `${name}-00000001`,
  phase: 'in-grace',
  because: null,
  ...more,
});

async function apply(answer: Answer, ...args: readonly string[]): Promise<Ran> {
  api = await startFakeApi({ 'POST /v1/apply': answer });
  const { code, out, err } = await lakeshift(['apply', '-f', folder, ...args], { api: api.address });
  return { code, out: out.replaceAll(`${folder}/`, ''), err: err.replaceAll(`${folder}/`, '') };
}
const sent = (): unknown => JSON.parse(api?.seen[0]?.body ?? 'null');
const refused = (errors: readonly object[], more: object = {}) => problem(422, 'SPEC_INVALID', { errors, ...more });

describe('lakeshift apply', () => {
  it('sends all documents of all files, by file name, and passes over what is no spec file', async () => {
    await write('20.yml', `# only words\n---\n${specText('c')}---\n${specText('d')}---\n`);
    await write('10.yaml', specText('b'));
    await write('05.json', JSON.stringify({ name: 'a' }));
    await write('README.md', 'words');
    await write('.hidden.yaml', 'name: hidden');
    await mkdir(join(folder, 'deeper.d'));
    const { code, out } = await apply(ok({ results: ['a', 'b', 'c', 'd'].map((name) => result(name)) }));
    const changes = [{ add: 'note text', up: "'x'" }];
    expect(sent()).toEqual({
      specs: [{ name: 'a' }, ...['b', 'c', 'd'].map((name) => ({ name, changes }))],
      dryRun: false,
      again: false,
    });
    expect(code).toBe(0);
    expect(out).toBe(
      [
        '05.json  a  unchanged  a-00000001 · in-grace',
        '10.yaml  b  unchanged  b-00000001 · in-grace',
        '20.yml   c  unchanged  c-00000001 · in-grace',
        '20.yml   d  unchanged  d-00000001 · in-grace',
        '',
      ].join('\n'),
    );
  });

  it.each([
    ['what is new', result('a', { action: 'started', phase: 'starting' }), 0, 'started    a-00000001 · starting'],
    ['what would be new', result('a', { action: 'start', deployment: null, phase: null }), 0, 'would be started'],
    ['what is deployed', result('a', { phase: 'deployed' }), 0, 'a-00000001 · deployed'],
    [
      'what waits',
      result('a', { action: 'later', because: 'z comes first on public.a' }),
      4,
      'z comes first on public.a; apply again',
    ],
    ['what was rolled back', result('a', { phase: 'rolled-back' }), 3, 'rolled-back · change the spec, or --again'],
    ['what was refused', result('a', { phase: 'refused' }), 2, 'refused · change the spec, or --again'],
  ])('says %s, and exits with it', async (_, one, exit, text) => {
    await write('a.yaml', specText('a'));
    await write('b.yaml', specText('b'));
    const { code, out } = await apply(ok({ results: [one, result('b')] }));
    expect(code).toBe(exit);
    expect(out.replaceAll(/ +/g, ' ')).toContain(text.replaceAll(/ +/g, ' '));
  });

  it('answers programs with one document', async () => {
    await write('a.yaml', specText('a'));
    const { out } = await apply(ok({ results: [result('a')] }), '--json', '--dry-run', '--again');
    expect(JSON.parse(out)).toEqual({
      results: [{ file: join(folder, 'a.yaml').replace(`${folder}/`, ''), ...result('a') }],
    });
    expect(sent()).toMatchObject({ dryRun: true, again: true });
  });

  it('says the file and the line of each mistake', async () => {
    await write('a.yaml', specText('a'));
    await write('b.yaml', `${specText('b')}---\n${specText('c')}cutover:\n  approve: false\n`);
    const { code, err } = await apply(
      refused([
        { pointer: '/specs/0/changes/0/up', detail: 'is empty' },
        { pointer: '/specs/0/table', detail: 'is missing' },
        { pointer: '/specs/1/name', detail: 'is c, as in /specs/2: one name, one spec' },
        { pointer: '/specs/2/cutover/approve', detail: 'may be false only with cutover.after' },
        { pointer: '/specs/2', detail: 'is under way' },
      ]),
    );
    expect(code).toBe(2);
    expect(
      err
        .replaceAll(/\n {30,}/g, ' ')
        .split('\n')
        .map((line) => line.trim().replaceAll(/ +/g, ' ')),
    ).toEqual([
      'SPEC_INVALID detail of SPEC_INVALID',
      'a.yaml:4 /changes/0/up is empty',
      'a.yaml:1 /table is missing',
      'b.yaml:1 /name is c, as in b.yaml: one name, one spec',
      'b.yaml:11 /cutover/approve may be false only with cutover.after',
      'b.yaml:6 is under way',
      'request req-12345678',
      '',
    ]);
  });

  it('gives programs file, line and the pointer into the spec', async () => {
    await write('a.yaml', specText('a'));
    const finding = { code: 'X', level: 'refused', detail: 'no key', pointer: '/specs/0' };
    const answer = refused([{ pointer: '/specs/0/changes/0', detail: 'bad' }], { findings: [finding] });
    const { out } = await apply(answer, '--json');
    expect(JSON.parse(out)).toMatchObject({
      error: {
        code: 'SPEC_INVALID',
        errors: [{ file: 'a.yaml', line: 3, pointer: '/changes/0', detail: 'bad' }],
        findings: [{ pointer: '', detail: 'a.yaml: no key' }],
      },
    });
  });

  it('reads all files before anything is started, and says what is wrong with the readable ones too', async () => {
    await write('a.yaml', 'name: "open\n');
    await write('b.yaml', specText('b'));
    await write('c.yaml', '# nothing\n');
    const { code, err } = await apply(refused([{ pointer: '/specs/0/table', detail: 'is missing' }]));
    expect(sent()).toMatchObject({ dryRun: true });
    expect(code).toBe(2);
    expect(err).toMatch(/a\.yaml:\d +is not YAML: missing char/);
    expect(err).toMatch(/b\.yaml:1 \/table +is missing/);
    expect(err).toMatch(/c\.yaml:1 +holds no spec/);
  });

  it('starts nothing when one file can not be read, though the service has nothing against the others', async () => {
    await write('a.yaml', 'a: [');
    await write('b.yaml', specText('b'));
    const answered = await apply(inTurn(ok({ results: [result('b', { action: 'start' })] })));
    expect(answered).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('nothing was started') as unknown,
    });
    expect(api?.seen).toHaveLength(1);
    expect(sent()).toMatchObject({ dryRun: true });
  });

  it.each([
    ['a folder without any spec', [] as readonly string[], /holds no YAML or JSON file/],
    ['a file that is not there', ['-f', '/nonexistent.yaml'], /\/nonexistent\.yaml can't be read \(ENOENT\)/],
  ])('%s is refused', async (_, more, said) => {
    if (more.length > 0) await write('a.yaml', specText('a'));
    const { code, err } = await apply(ok({ results: [] }), ...more);
    expect([code, api?.seen.length]).toEqual([2, 0]);
    expect(err).toMatch(said);
  });

  it('needs to be told what', async () => {
    expect(await lakeshift(['apply'])).toMatchObject({ code: 2, err: expect.stringContaining('-f') as unknown });
  });
});
