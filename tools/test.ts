import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The part of Jest's JSON that is read here. */
interface Results {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  /** Files that did not even load. */
  readonly numRuntimeErrorTestSuites: number;
}

const nothing: Results = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numRuntimeErrorTestSuites: 0 };
const jest = fileURLToPath(new URL('../node_modules/jest/bin/jest.js', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'lakeshift-results-'));
const outputFile = join(folder, 'results.json');

const flags = ['--disable-warning=ExperimentalWarning', '--experimental-vm-modules'];
const child = spawn(
  process.execPath,
  [...flags, jest, '--json', `--outputFile=${outputFile}`, ...process.argv.slice(2)],
  {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    // Jest writes its JSON to stdout too; what people read goes to stderr.
    stdio: ['ignore', 'ignore', 'inherit'],
  },
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
// The event of a child's end always carries its exit code, or null after a signal.
const [code] = (await once(child, 'exit')) as [number | null];

// Jest writes this file itself; when it never came so far there is none.
const results = await readFile(outputFile, 'utf8').then(
  (text) => JSON.parse(text) as Results,
  () => nothing,
);
await rm(folder, { recursive: true, force: true });

const { numPassedTests: passed, numPendingTests: skipped } = results;
const broken = results.numFailedTests + results.numRuntimeErrorTestSuites;
const failed = broken === 0 && (code !== 0 || passed === 0) ? 1 : broken;
process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exitCode = failed > 0 ? 1 : 0;
