import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { runCli } from '../../cli/program.ts';
import { loadConfig } from '../../config/index.ts';
import { checkSpec } from '../../decisions/check-spec.ts';
import { allPages, anchorsOf, blocksOf, inlineCode, linksOf, proseOf, root, type Block } from './pages.ts';

const pages = allPages();
const blocks = pages.flatMap(blocksOf);
const yaml = blocks.filter(({ language }) => language === 'yaml');
const has = (field: string) => (block: Block) => Object.hasOwn(parse(block.code) as object, field);
const specs = yaml.filter(has('strategy'));
const configurations = yaml.filter(has('ledger'));
const named = (some: readonly Block[]) =>
  some.map((block, index): [string, Block] => [`${block.page} #${index + 1}`, block]);

/** A value that is well formed for what the name of its variable ends with. */
function valueOf(name: string): string {
  if (name.endsWith('_URL')) return 'postgres://lakeshift@127.0.0.1:5432/lakeshift';
  if (name.endsWith('_WEBHOOK')) return 'https://hooks.example/in';
  return name.endsWith('_SIGNING_SECRET') ? `whsec_${'c2VjcmV0'.repeat(4)}` : `the-value-of-${name}`;
}

describe('YAML in the documentation', () => {
  test('is either a spec or a configuration', () => {
    expect(specs.length + configurations.length).toBe(yaml.length);
    expect(specs.length).toBeGreaterThan(1);
    expect(configurations.length).toBeGreaterThan(1);
  });

  test.each(named(specs))('the spec in %s is well formed', (_name, { code }) => {
    expect(checkSpec(parse(code))).toMatchObject({ ok: true });
  });

  describe('that is a configuration', () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'lakeshift-docs-'));
      await writeFile(join(folder, 'secret'), 'a-secret-of-more-than-thirty-two-characters');
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    test.each(named(configurations))('loads: %s', async (_name, { code }) => {
      const file = join(folder, 'lakeshift.yaml');
      await writeFile(file, code.replaceAll(/\$\{file:[^}]+\}/g, '${file:secret}'));
      const variables = [...code.matchAll(/\$\{env:([^}]+)\}/g)].map(([, name = '']) => name);
      const values = variables.map((name) => [name, valueOf(name)]);
      const config = await loadConfig(file, Object.fromEntries(values) as NodeJS.ProcessEnv);
      expect(Object.keys(config.targets).length).toBeGreaterThan(0);
    });
  });
});

describe('commands in the documentation', () => {
  /** What `lakeshift … --help` says. */
  async function help(...args: readonly string[]): Promise<string> {
    let said = '';
    const hear = (text: string): void => void (said += text);
    const io = {
      out: hear,
      err: hear,
      env: {},
      isTerminal: false,
      now: Date.now,
      signal: new AbortController().signal,
    };
    expect(await runCli([...args, '--help'], io)).toBe(0);
    return said;
  }
  const flagsIn = (text: string): string[] => [...text.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([flag]) => flag);
  const inBlocks = blocks
    .filter(({ language }) => ['sh', 'console'].includes(language))
    .flatMap(({ code }) => code.replaceAll(/\\\n\s*/g, '').split('\n'))
    .map((line) => line.replace(/^\$ /, ''));
  const inProse = pages.flatMap(inlineCode);
  const commandLines = [...inBlocks, ...inProse].filter((line) => /^lakeshift [a-z]/.test(line));

  test('every `lakeshift` command is there, with every flag that is named', async () => {
    const top = await help();
    const wrong: string[] = [];
    for (const line of new Set(commandLines)) {
      const [, command = '', sub = ''] = line.split(/\s+/);
      const known = new RegExp(`^  ${command} `, 'm').test(top);
      const own = known ? await help(command) : '';
      const isFamily = new RegExp(`^  ${sub} `, 'm').test(own.split('Commands:')[1] ?? '');
      const flags = flagsIn(`${isFamily ? await help(command, sub) : own}\n${top}`);
      if (!known || flagsIn(line).some((flag) => !flags.includes(flag))) wrong.push(line);
    }
    expect(wrong).toEqual([]);
    expect(commandLines.length).toBeGreaterThan(20);
  });

  test('every npm script is there, and every option of `npm start`', async () => {
    const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { scripts: object };
    const lines = [...inBlocks, ...inProse].filter((line) => /^npm (start|test|run)\b/.test(line));
    const missing = lines.filter((line) => {
      const name = /^npm (?:run (?:--silent )?)?([a-z]+)/.exec(line)?.[1] ?? '';
      return !Object.hasOwn(scripts, name);
    });
    expect(missing).toEqual([]);
    const { usage } = await import('../../tools/start/options.ts');
    const options = lines.filter((line) => line.startsWith('npm start')).flatMap(flagsIn);
    expect(options.filter((flag) => !usage.includes(flag))).toEqual([]);
    expect(options).toContain('--exit');
  });

  test('every other program that is run is a file of the repository', async () => {
    const files = [...inBlocks, ...inProse].flatMap((line) => /^node ([\w/.-]+\.(?:ts|mjs))/.exec(line)?.[1] ?? []);
    for (const file of files) expect([file, (await stat(join(root, file))).isFile()]).toEqual([file, true]);
    expect(files).toContain('worker/main.ts');
  });
});

describe('what the documentation points at', () => {
  test('every relative link leads to a file, and every anchor to a heading', async () => {
    const broken: string[] = [];
    for (const page of pages) {
      for (const { file, anchor } of linksOf(page)) {
        const there = await stat(join(root, file)).then(
          () => true,
          () => false,
        );
        const target = pages.find(({ path }) => path === file);
        const found = anchor === null || (target !== undefined && anchorsOf(target).includes(anchor));
        if (!there || !found) broken.push(`${page.path}: ${file}${anchor === null ? '' : `#${anchor}`}`);
      }
    }
    expect(broken).toEqual([]);
  });

  test('every page of docs/ can be reached from the README', () => {
    const reached = new Set(['README.md']);
    for (const path of reached) {
      const page = pages.find((candidate) => candidate.path === path);
      if (page !== undefined) linksOf(page).forEach(({ file }) => reached.add(file));
    }
    expect(pages.map(({ path }) => path).filter((path) => !reached.has(path))).toEqual([]);
  });

  test('every path of the source that is named exists', async () => {
    const folders =
      /^(?:contracts|decisions|config|ledger|activities|workflows|worker|api|cli|tools|test|docs|examples)\/[\w/.-]+$/;
    const named = [...new Set(pages.flatMap(inlineCode).filter((code) => folders.test(code)))];
    const missing: string[] = [];
    for (const path of named) await stat(join(root, path)).catch(() => missing.push(path));
    expect(missing).toEqual([]);
    expect(named.length).toBeGreaterThan(15);
  });

  test('every variable of ours that is named is one that the code reads', async () => {
    const source = await readSource();
    const texts = pages.flatMap((page) => [proseOf(page), ...blocksOf(page).map(({ code }) => code)]);
    const variables = new Set(texts.flatMap((text) => text.match(/\bLAKESHIFT_[A-Z_]+\b/g) ?? []));
    expect([...variables].filter((name) => !source.includes(name))).toEqual([]);
    expect(variables.size).toBeGreaterThan(15);
  });
});

/** All code that may read the environment, as one text. */
async function readSource(): Promise<string> {
  const texts: string[] = [];
  const modules = ['config', 'cli', 'tools', 'worker', 'api', 'test/support', 'test/scenarios'];
  for (const folder of [...modules, 'examples/ci', 'deploy/github-action']) {
    for (const path of await readdir(join(root, folder), { recursive: true })) {
      if (/\.(ts|mjs|sh)$/.test(path)) texts.push(await readFile(join(root, folder, path), 'utf8'));
    }
  }
  return texts.join('\n');
}
