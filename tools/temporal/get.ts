import { execFile } from 'node:child_process';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildWithGo, findGo, findOnPath, isProgram, oldestGo } from '../go.ts';
import { findHome } from '../home.ts';
import { makeOnce } from '../make-once.ts';
import { ToolFailure } from '../tool-failure.ts';
import { temporalVersion } from './version.ts';

/** What the search depends on; each has the default that `npm start` uses. */
export interface Surroundings {
  readonly env?: NodeJS.ProcessEnv;
  /** Brings the binary into the folder and gives its path; rejects when it can't. */
  readonly download?: (folder: string, signal?: AbortSignal) => Promise<string>;
  /** Ends a download or a build. */
  readonly signal?: AbortSignal;
}

/** Gives a binary's path, or says in a few words why this way is barred. */
type Way = () => Promise<string | { readonly barred: string }>;

const run = promisify(execFile);
const downloadWithinMs = 180_000;

/**
 * Path of a Temporal CLI: one on the PATH, our cache, the SDK's own download, or a build from source with Go.
 * `say` hears what it does and how long that takes. Fails with one line that says what would be needed.
 */
export async function getTemporal(say: (line: string) => void, surroundings: Surroundings = {}): Promise<string> {
  const { env = process.env, signal } = surroundings;
  const cached = join(findHome(env).cache, `temporal-${temporalVersion}`, 'temporal');
  const ways: readonly Way[] = [
    () => fromPath(env, say),
    () => fromCache(cached, say),
    () => byDownload(cached, surroundings, say),
    () => byBuild(cached, env, say, signal),
  ];
  const barred: string[] = [];
  for (const way of ways) {
    signal?.throwIfAborted();
    const found = await way();
    if (typeof found === 'string') return found;
    barred.push(found.barred);
  }
  throw new ToolFailure(
    `no Temporal: ${barred.join('; ')}. Set TEMPORAL_ADDRESS, or install the Temporal CLI or Go ${oldestGo.join('.')}`,
  );
}

async function fromPath(env: NodeJS.ProcessEnv, say: (line: string) => void): ReturnType<Way> {
  const found = await findOnPath('temporal', env);
  if (found === null) return { barred: 'none on the PATH' };
  if (await works(found)) return found;
  say(`${found} does not run; looking elsewhere`);
  return { barred: 'the one on the PATH does not run' };
}

async function fromCache(cached: string, say: (line: string) => void): ReturnType<Way> {
  if (!(await isProgram(cached))) return { barred: 'none in the cache' };
  if (await works(cached)) return cached;
  say(`${cached} is broken; fetching it again`);
  await rm(cached);
  return { barred: 'the cached one was broken' };
}

async function byDownload(
  cached: string,
  { download = downloadWithSdk, signal }: Surroundings,
  say: (line: string) => void,
): ReturnType<Way> {
  const folder = `${dirname(cached)}.${process.pid}`;
  say(`fetching Temporal ${temporalVersion} (about 60 MB)`);
  try {
    await mkdir(folder, { recursive: true });
    const downloaded = await download(folder, signal);
    if (!(await works(downloaded))) return { barred: 'what was downloaded does not run' };
    return await keep(downloaded, cached);
  } catch {
    return { barred: 'it could not be downloaded' };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function byBuild(
  cached: string,
  env: NodeJS.ProcessEnv,
  say: (line: string) => void,
  signal: AbortSignal | undefined,
): ReturnType<Way> {
  const go = await findGo(env);
  if (typeof go !== 'string') return go;
  const make = async (half: string) => {
    say(`building Temporal ${temporalVersion} from source with Go, once; this takes 3 to 10 minutes`);
    const built = join(half, 'temporal');
    const failure = await buildWithGo(go, {
      module: fileURLToPath(new URL('.', import.meta.url)),
      packages: ['github.com/temporalio/cli/cmd/temporal'],
      to: built,
      env,
      signal,
    });
    if (failure !== null) return { barred: `the build with Go failed (${failure})` };
    return (await works(built)) ? keep(built, cached) : { barred: 'what Go built does not run' };
  };
  const find = async () => ((await isProgram(cached)) ? cached : null);
  return makeOnce({ to: dirname(cached), find, make, say, signal });
}

/** In a process of its own, because the SDK's download can't be interrupted. */
async function downloadWithSdk(folder: string, signal?: AbortSignal): Promise<string> {
  const script = fileURLToPath(new URL('download.ts', import.meta.url));
  await run(process.execPath, [script, folder], {
    timeout: downloadWithinMs,
    killSignal: 'SIGKILL',
    ...(signal === undefined ? {} : { signal }),
  });
  const file = (await readdir(folder)).find((name) => name.startsWith('temporal'));
  if (file === undefined) throw new Error('the SDK downloaded nothing');
  return join(folder, file);
}

/** A rename, so that nobody ever sees half a file. */
async function keep(file: string, cached: string): Promise<string> {
  await mkdir(dirname(cached), { recursive: true });
  await rename(file, cached);
  return cached;
}

async function works(binary: string): Promise<boolean> {
  return run(binary, ['--version'], { timeout: 20_000 }).then(
    ({ stdout }) => /temporal version/i.test(stdout),
    () => false,
  );
}
