import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { workflowBundle } from '../support/servers.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** The SDK, and what it brings into the sandbox itself. */
const bundledLibraries = ['@temporalio/common', '@temporalio/workflow', 'long', 'ms', 'nexus-rpc'];
const product = /^(contracts|config|decisions|ledger|activities|workflows|worker|api|cli|tools|bench)\//;

/** Files under version control, and new ones that are not ignored. */
function files(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root });
  return listed.toString('utf8').trim().split('\n');
}

async function readAll(paths: readonly string[]): Promise<{ path: string; text: string }[]> {
  return Promise.all(paths.map(async (path) => ({ path, text: await readFile(join(root, path), 'utf8') })));
}

/** Our own modules in the bundle, by the source map that lies in it. */
async function bundledModules(): Promise<string[]> {
  const code = await readFile(workflowBundle().codePath, 'utf8');
  const [, encoded = ''] = /sourceMappingURL=data:application\/json;charset=utf-8;base64,([\w+/=]+)/.exec(code) ?? [];
  // A source map always has this list.
  const { sources } = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')) as { sources: string[] };
  return sources;
}

describe('the workflow bundle', () => {
  it('holds workflows, decisions and contracts, and nothing else of ours', async () => {
    const modules = await bundledModules();
    const ours = modules
      .filter((path) => !path.includes('node_modules'))
      .map(
        (path) =>
          /(?:^|\/)((?:contracts|config|decisions|ledger|activities|workflows|worker|api|cli|tools)\/.*)$/.exec(
            path,
          )?.[1],
      )
      .filter((path) => path !== undefined);
    const folders = new Set(ours.map((path) => path.split('/')[0]));
    expect(ours).toEqual(expect.arrayContaining(['workflows/deployment.ts', 'decisions/progress.ts']));
    expect([...folders].sort()).toEqual(['contracts', 'decisions', 'workflows']);
  });

  it('holds no library but those of Temporal itself', async () => {
    const modules = await bundledModules();
    const packages = modules
      .map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1])
      .filter((name) => name !== undefined);
    expect([...new Set(packages)].sort()).toEqual(bundledLibraries);
  });
});

describe('the source', () => {
  it('has no file of the product longer than 250 lines', async () => {
    const sources = await readAll(files().filter((path) => product.test(path) && /\.(ts|mjs)$/.test(path)));
    const tooLong = sources
      .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > 250);
    expect(tooLong).toEqual([]);
    expect(sources.length).toBeGreaterThan(50);
  });

  it('has one name for each test', async () => {
    const tests = await readAll(files().filter((path) => path.startsWith('test/') && path.endsWith('.test.ts')));
    const places = new Map<string, string[]>();
    for (const { path, text } of tests) {
      for (const [, , title = ''] of text.matchAll(/^\s*(?:it|test)(?:\.each[^'"`]*?)?\(\s*(['"`])(.+?)\1,/gm)) {
        places.set(title, [...(places.get(title) ?? []), path]);
      }
    }
    expect(places.size).toBeGreaterThan(20);
    expect([...places].filter(([, paths]) => paths.length > 1)).toEqual([]);
  });

  it('has every test run', async () => {
    const tests = await readAll(files().filter((path) => path.startsWith('test/') && path.endsWith('.ts')));
    const asleep = tests.filter(({ text }) =>
      /^\s*(?:(?:it|test|describe)\s*\.\s*(?:only|skip|todo)|xit|xdescribe|fit|fdescribe)\b/m.test(text),
    );
    expect(asleep.map(({ path }) => path)).toEqual([]);
  });

  it('names no registry and keeps no address of one in the lock file', async () => {
    const texts = await readAll(
      files().filter((path) => /(^|\/)(package-lock\.json|\.npmrc|Dockerfile|go\.mod)$/.test(path)),
    );
    expect(
      texts.filter(({ text }) => /"resolved": *"http|registry *= *http|GOPROXY=/.test(text)).map(({ path }) => path),
    ).toEqual([]);
  });
});
