import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { findOnPath } from '../go.ts';
import { findHome } from '../home.ts';
import { makeOnce } from '../make-once.ts';
import { ToolFailure } from '../tool-failure.ts';
import { getJava, whyNoJava } from './java.ts';
import { trinoSum, trinoVersion } from './version.ts';

/** What the search depends on; each has the default that the test run uses. */
export interface Surroundings {
  readonly env?: NodeJS.ProcessEnv;
  /** What the archive has to be. */
  readonly sum?: string;
  /** Ends what is being fetched. */
  readonly signal?: AbortSignal;
}

/** A Trino that can be started. */
export interface TrinoBinaries {
  readonly java: string;
  /** Folder with `lib`. */
  readonly home: string;
}

const run = promisify(execFile);
const artifact = `trino-server-core-${trinoVersion}`;

/**
 * Trino and a Java that runs it, of our cache or fetched with Maven and pip. `say` hears what it does and how long that
 * takes. Fails with one line that says what would be needed.
 */
export async function getTrino(
  say: (line: string) => void,
  { env = process.env, sum = trinoSum, signal }: Surroundings = {},
): Promise<TrinoBinaries> {
  const home = folderOf(env);
  await makeOnce({
    to: home,
    find: async () => ((await isThere(home)) ? home : null),
    make: async (half) => {
      await fetchInto(half, sum, say, env, signal);
      await rename(join(half, artifact), home);
      return home;
    },
    say,
    signal,
  });
  return { java: await getJava(say, env), home };
}

/** Why it can't be had here; null: it is in the cache, or there is what it is fetched with. */
export async function whyNoTrino(env: NodeJS.ProcessEnv = process.env): Promise<string | null> {
  const isFetched = (await isThere(folderOf(env))) || (await findOnPath('mvn', env)) !== null;
  return isFetched ? whyNoJava(env) : lackingMaven;
}

const lackingMaven = 'no Trino: there is no Maven (mvn) to fetch it with';

const folderOf = (env: NodeJS.ProcessEnv): string => join(findHome(env).cache, `trino-${trinoVersion}`);

const isThere = (home: string): Promise<boolean> =>
  access(join(home, 'lib')).then(
    () => true,
    () => false,
  );

async function fetchInto(
  half: string,
  sum: string,
  say: (line: string) => void,
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<void> {
  const maven = await findOnPath('mvn', env);
  if (maven === null) throw new ToolFailure(lackingMaven);
  say(`fetching Trino ${trinoVersion} (194 MB) with Maven, once; this takes 15 seconds to 5 minutes`);
  const archive = await download(maven, join(half, 'maven'), env, signal);
  const found = await sumOf(archive);
  if (found !== sum)
    throw new ToolFailure(`no Trino: the archive is not the one that we know: ${found} instead of ${sum}`);
  await run('tar', ['-xzf', archive, '-C', half]);
}

/** Path of the archive. Maven's own repository of the user stays as it is: it would keep a second copy. */
async function download(
  maven: string,
  repository: string,
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<string> {
  const args = [
    '--quiet',
    '--batch-mode',
    'dependency:get',
    `-Dartifact=io.trino:trino-server-core:${trinoVersion}:tar.gz`,
    '-Dtransitive=false',
    `-Dmaven.repo.local=${repository}`,
  ];
  try {
    await run(maven, args, { env, timeout: 15 * 60_000, ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    const said =
      typeof error === 'object' && error !== null && 'stdout' in error ? String(error.stdout) : String(error);
    const why = said.split('\n').find((line) => line.includes('ERROR')) ?? 'it said nothing';
    throw new ToolFailure(`no Trino: Maven could not fetch it (${why.slice(0, 300)})`);
  }
  return join(repository, 'io/trino/trino-server-core', trinoVersion, `${artifact}.tar.gz`);
}

async function sumOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
