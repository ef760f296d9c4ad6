import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findHome } from './home.ts';

interface Check {
  readonly name: string;
  /** Script of an npm package, and its arguments. */
  readonly script: string;
  readonly args: readonly string[];
}

const root = fileURLToPath(new URL('..', import.meta.url));
/** What the checks know of files that have not changed since. May be deleted at any time. */
const known = join(findHome().cache, 'checks', hashOf([root]));

const checks: readonly Check[] = [
  {
    name: 'types',
    script: 'typescript/bin/tsc',
    args: ['--noEmit', '-p', '.', '--incremental', '--tsBuildInfoFile', join(known, 'types')],
  },
  { name: 'lint', script: 'eslint/bin/eslint.js', args: ['.', ...cached(await knownLint())] },
  {
    name: 'format',
    script: 'prettier/bin/prettier.cjs',
    args: ['--check', '--log-level', 'warn', '.', ...cached(join(known, 'format'))],
  },
  {
    name: 'imports',
    script: 'dependency-cruiser/bin/dependency-cruiser.mjs',
    args: ['--config', '.dependency-cruiser.cjs', '.'],
  },
];

/** By what is in the files: a fresh checkout gives them all new times. */
function cached(file: string): readonly string[] {
  return ['--cache', '--cache-strategy', 'content', '--cache-location', file];
}

/**
 * Our rules look at types, which a file has from others too: what was found in it holds only while nothing at all has
 * changed. So each state of the repository has a file of its own, and only the last one is kept.
 */
async function knownLint(): Promise<string> {
  const folder = join(known, 'lint');
  await mkdir(folder, { recursive: true });
  const names = (await filesOf(root)).filter((name) => /\.(ts|json)$|^eslint\.config\.js$/.test(name)).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(root, name), 'utf8')));
  const state = hashOf([...names, ...texts]);
  for (const name of await readdir(folder)) if (name !== state) await rm(join(folder, name), { recursive: true });
  return join(folder, state);
}

/** All files of the repository, without what npm brings. */
async function filesOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = entries
    .filter(({ name }) => name !== 'node_modules' && name !== '.git')
    .map(async (entry) => {
      if (!entry.isDirectory()) return [entry.name];
      const within = await readdir(join(folder, entry.name), { recursive: true });
      return within.map((name) => join(entry.name, name));
    });
  return (await Promise.all(found)).flat();
}

function hashOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

/** Runs one check to its end and says how it went; its own words only when it failed. */
function run(check: Check): Promise<boolean> {
  const began = Date.now();
  const script = fileURLToPath(new URL(`../node_modules/${check.script}`, import.meta.url));
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [script, ...check.args],
      { cwd: root, maxBuffer: 64 * 1024 * 1024 },
      (error, out, err) => {
        const seconds = ((Date.now() - began) / 1000).toFixed(1);
        const words = error === null ? '' : `${out}${err}`.trimEnd() + '\n';
        process.stdout.write(`${check.name.padEnd(8)} ${error === null ? 'ok' : 'FAILED'}  ${seconds} s\n${words}`);
        resolve(error === null);
      },
    );
  });
}

// All are run even when one fails: who mends something wants to know everything at once.
const outcomes = await Promise.all(checks.map(run));
process.exitCode = outcomes.every(Boolean) ? 0 : 1;
