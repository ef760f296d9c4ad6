import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import { remember, sweep } from '../../tools/processes/records.ts';
import { politely } from '../../tools/processes/stop.ts';
import { startPostgres } from '../../tools/postgres/server.ts';
import { startTemporal } from '../../tools/temporal/server.ts';
import tearDown, { leftBehind } from './global-teardown.ts';
import { offerKubernetes } from './kubernetes/offer.ts';
import { offerMlflow } from './mlflow/offer.ts';
import { offerVersions } from './postgres-versions.ts';
import { findScratch, scratches } from './scratch.ts';

/** Starts one PostgreSQL and one Temporal for the whole run, unless they are given, and bundles the workflows once. */
export default async function setUp(): Promise<void> {
  await sweepOthers();
  const folder = await mkdtemp(join(await findScratch(), 'lakeshift-test-'));
  leftBehind.folder = folder;
  await keepTogether(folder);
  // Our own note keeps other runs from taking the folder for an abandoned one before the servers are noted.
  await remember(join(folder, 'processes'), 'test run', process.pid, politely);
  // tests start servers of their own, and may be killed before they have stopped them
  process.env['LAKESHIFT_TEST_PROCESSES'] = join(folder, 'processes');
  const results = await Promise.allSettled([
    postgres(folder),
    versions(folder),
    kubernetes(folder),
    mlflow(folder),
    temporal(folder),
    bundle(folder),
  ]);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined) return;
  // Jest runs no tear-down after a set-up that failed.
  await tearDown();
  throw failed.reason;
}

/** What tests write lies in the folder of the run; what Node compiles does not: later runs have it too. */
async function keepTogether(folder: string): Promise<void> {
  process.env['NODE_COMPILE_CACHE'] ??= join(tmpdir(), 'lakeshift-compiled');
  const temporary = join(folder, 'tmp');
  await mkdir(temporary);
  // PostgreSQL runs as another user and has to pass through
  for (const ours of [folder, temporary]) await chmod(ours, 0o711);
  process.env['TMPDIR'] = temporary;
}

/** A run that was killed could not tear down; runs that are under way are left alone. */
async function sweepOthers(): Promise<void> {
  for (const scratch of scratches()) {
    for (const name of await readdir(scratch).catch(() => [])) {
      const folder = join(scratch, name);
      const processes = join(folder, 'processes');
      if (!name.startsWith('lakeshift-test-') || !existsSync(processes)) continue;
      if ((await readdir(processes)).length === 0) continue;
      await sweep(processes);
      if ((await readdir(processes)).length === 0) await rm(folder, { recursive: true, force: true });
    }
  }
}

async function postgres(folder: string): Promise<void> {
  if (process.env['LAKESHIFT_TEST_POSTGRES'] !== undefined) return;
  // Nothing here outlives the run, so durability is only a cost; what a crash loses is tested with servers of one's own.
  const server = await startPostgres({
    dataDir: join(folder, 'postgres'),
    // every activity connects anew: four thousand rounds of hashing keep nobody out here
    settings: { fsync: 'off', scram_iterations: '1' },
    recordIn: join(folder, 'processes'),
  });
  leftBehind.servers.push(server);
  process.env['LAKESHIFT_TEST_POSTGRES'] = server.url;
}

/** None of them is started before a test asks for it. */
async function versions(folder: string): Promise<void> {
  const { address, stop } = await offerVersions(folder);
  leftBehind.servers.push({ stop });
  process.env['LAKESHIFT_TEST_VERSIONS'] = address;
}

/** Nor is this. */
async function kubernetes(folder: string): Promise<void> {
  const { address, stop } = await offerKubernetes(folder, (line) => process.stderr.write(`${line}\n`));
  leftBehind.servers.push({ stop });
  process.env['LAKESHIFT_TEST_KUBERNETES'] = address;
}

/** Nor is this. */
async function mlflow(folder: string): Promise<void> {
  const { address, stop } = await offerMlflow(folder, (line) => process.stderr.write(`${line}\n`));
  leftBehind.servers.push({ stop });
  process.env['LAKESHIFT_TEST_MLFLOW'] = address;
}

async function temporal(folder: string): Promise<void> {
  if (process.env['LAKESHIFT_TEST_TEMPORAL'] !== undefined) return;
  const server = await startTemporal({
    logFile: join(folder, 'temporal.log'),
    recordIn: join(folder, 'processes'),
    say: (line) => process.stderr.write(`${line}\n`),
  });
  leftBehind.servers.push(server);
  process.env['LAKESHIFT_TEST_TEMPORAL'] = server.address;
}

/** A bundle that fails is the failure of the tests that ask for it, not of all. */
async function bundle(folder: string): Promise<void> {
  const workflowsPath = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));
  if (!existsSync(workflowsPath)) return;
  const codePath = join(folder, 'workflows.js');
  try {
    const logger = { log: noop, trace: noop, debug: noop, info: noop, warn: noop, error: noop };
    const { code } = await bundleWorkflowCode({ workflowsPath, logger });
    await writeFile(codePath, code);
    process.env['LAKESHIFT_TEST_BUNDLE'] = codePath;
  } catch (error) {
    process.env['LAKESHIFT_TEST_BUNDLE_FAILURE'] = String(error);
  }
}

function noop(): void {
  // The bundler's own progress is of no use in a test's output.
}
