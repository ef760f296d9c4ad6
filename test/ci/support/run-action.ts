import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { githubToken } from './github.ts';
import { root, runBash, type Finished } from './run-script.ts';

/** Where the action is. */
export const actionFolder = join(root, 'deploy/github-action');

/** One step of a composite action. */
export interface Step {
  readonly id?: string;
  readonly shell?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** An action's metadata, as far as this one has any. */
export interface Action {
  readonly name: string;
  readonly description: string;
  readonly inputs: Readonly<Record<string, { description: string; required?: boolean; default?: string }>>;
  readonly outputs: Readonly<Record<string, { description: string; value: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}

/** The metadata of our action. */
export const readAction = async (): Promise<Action> =>
  parse(await readFile(join(actionFolder, 'action.yml'), 'utf8')) as Action; // its shape is what action.test.ts looks at

/** What a job gives the action, and what the runner is told. */
export interface Job {
  readonly inputs: Readonly<Record<string, string>>;
  readonly event: 'pull_request' | 'push' | 'workflow_dispatch';
  /** Address of GitHub's API. */
  readonly github: string;
  readonly commit?: string;
}

/** What the runner reads after the step. */
export interface JobResult extends Finished {
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
}

/** Runs the one step of the action as a runner does: its command in its shell, with the variables of runner and step. */
export async function runAction({ inputs, event, github, commit = 'c0ffee' }: Job): Promise<JobResult> {
  const { inputs: declared, runs } = await readAction();
  const [step] = runs.steps;
  const folder = await mkdtemp(join(tmpdir(), 'lakeshift-runner-'));
  const files = { output: join(folder, 'output'), summary: join(folder, 'summary'), event: join(folder, 'event.json') };
  await writeFile(files.output, '');
  await writeFile(files.summary, '');
  await writeFile(
    files.event,
    JSON.stringify(event === 'pull_request' ? { number: 7, pull_request: { number: 7 } } : {}),
  );
  const given = Object.fromEntries(
    Object.entries(declared).map(([name, input]) => [name, inputs[name] ?? input.default ?? '']),
  );
  const valueOf = (text: string): string =>
    text
      .replaceAll(/\$\{\{ inputs\.([\w-]+) \}\}/g, (_, name: string) => given[name] ?? '')
      .replaceAll('${{ github.token }}', githubToken);
  const ran = await runBash(['--noprofile', '--norc', '-e', '-o', 'pipefail', '-c', step?.run ?? 'exit 99'], {
    ...Object.fromEntries(Object.entries(step?.env ?? {}).map(([name, text]) => [name, valueOf(text)])),
    CI: 'true',
    GITHUB_ACTION_PATH: actionFolder,
    GITHUB_API_URL: github,
    GITHUB_EVENT_NAME: event,
    GITHUB_EVENT_PATH: files.event,
    GITHUB_OUTPUT: files.output,
    GITHUB_REPOSITORY: 'acme/shop',
    GITHUB_SHA: commit,
    GITHUB_STEP_SUMMARY: files.summary,
  });
  const lines = (await readFile(files.output, 'utf8')).split('\n').filter((line) => line !== '');
  const outputs = Object.fromEntries(
    lines.map((line): [string, string] => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const summary = await readFile(files.summary, 'utf8');
  await rm(folder, { recursive: true });
  return { ...ran, outputs, summary };
}
