import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { readAction, actionFolder, type Action } from './support/run-action.ts';
import { root } from './support/run-script.ts';

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<
    Record<string, { steps: readonly { uses?: string; run?: string; with?: Readonly<Record<string, string>> }[] }>
  >;
}

let action: Action;
beforeAll(async () => {
  action = await readAction();
});

const used = (text: string, context: string): string[] =>
  [...text.matchAll(new RegExp(`\\b${context}\\.([\\w-]+)`, 'g'))].map(([, name = '']) => name);

test('the action is composite, and each of its steps names its shell', () => {
  expect(action.runs.using).toBe('composite');
  expect(action.runs.steps.map(({ shell }) => shell)).toEqual(['bash']);
  expect([action.name, action.description]).not.toContain('');
});

test('every input of the action is described and used, and every one that is used is declared', () => {
  const inSteps = used(JSON.stringify(action.runs.steps), 'inputs');
  expect(inSteps.sort()).toEqual(Object.keys(action.inputs).sort());
  for (const [name, { description, required, default: value }] of Object.entries(action.inputs)) {
    expect([name, typeof description]).toEqual([name, 'string']);
    expect([name, required === true ? value : typeof value]).toEqual([name, required === true ? undefined : 'string']);
  }
});

test('the action has no expression in the text of a command', () => {
  for (const { run = '' } of action.runs.steps) expect(run).not.toContain('${{');
});

test('every output of the action is written by its script', async () => {
  const script = await readFile(join(actionFolder, 'run.sh'), 'utf8');
  const written = [...(/printf '(id=.*)' .*GITHUB_OUTPUT/.exec(script)?.[1] ?? '').matchAll(/([\w-]+)=%s/g)];
  expect(written.map(([, name]) => name?.replace(/^n(?=phase|plan)/, '')).sort()).toEqual(
    Object.keys(action.outputs).sort(),
  );
  for (const [name, { value }] of Object.entries(action.outputs))
    expect(value).toBe(`\${{ steps.${action.runs.steps[0]?.id ?? ''}.outputs.${name} }}`);
});

test('every variable that the script of the action reads is given by its step or by the runner', async () => {
  const script = await readFile(join(actionFolder, 'run.sh'), 'utf8');
  const read = new Set([...script.matchAll(/\$\{?([A-Z][A-Z_]+)\b/g)].map(([, name = '']) => name));
  const runner = ['BASH_SOURCE', 'GITHUB_API_URL', 'GITHUB_EVENT_NAME', 'GITHUB_EVENT_PATH', 'GITHUB_OUTPUT'].concat([
    'GITHUB_REPOSITORY',
    'GITHUB_STEP_SUMMARY',
  ]);
  const given = [...runner, ...Object.keys(action.runs.steps[0]?.env ?? {})];
  expect([...read].filter((name) => !given.includes(name))).toEqual([]);
});

test('the example workflow gives inputs that the action has, and no expression stands in a command', async () => {
  const workflow = parse(await readFile(join(root, 'examples/ci/github-workflow.yml'), 'utf8')) as Workflow; // read as such
  expect(Object.keys(workflow.on)).toEqual(['pull_request', 'push']);
  expect(workflow.permissions).toEqual({ contents: 'read', 'pull-requests': 'write' });
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);
  const ours = steps.filter(({ uses }) => uses?.includes('/deploy/github-action@') === true);
  expect(ours).toHaveLength(1);
  const given = Object.keys(ours[0]?.with ?? {});
  expect(given.filter((name) => !Object.hasOwn(action.inputs, name))).toEqual([]);
  const needed = Object.entries(action.inputs).filter(([, { required }]) => required === true);
  expect(needed.map(([name]) => name).filter((name) => !given.includes(name))).toEqual([]);
  expect(steps.some(({ run }) => run !== undefined)).toBe(false);
});
