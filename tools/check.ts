import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

interface Check {
  readonly name: string;
  /** Script of an npm package, and its arguments. */
  readonly script: string;
  readonly args: readonly string[];
}

const checks: readonly Check[] = [
  { name: 'types', script: 'typescript/bin/tsc', args: ['--noEmit', '-p', '.'] },
  { name: 'lint', script: 'eslint/bin/eslint.js', args: ['.'] },
  { name: 'format', script: 'prettier/bin/prettier.cjs', args: ['--check', '--log-level', 'warn', '.'] },
  {
    name: 'imports',
    script: 'dependency-cruiser/bin/dependency-cruiser.mjs',
    args: ['--config', '.dependency-cruiser.cjs', '.'],
  },
];

const root = fileURLToPath(new URL('..', import.meta.url));

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
