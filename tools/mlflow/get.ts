import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { findOnPath, isProgram, lastLine } from '../go.ts';
import { findHome } from '../home.ts';
import { ToolFailure } from '../tool-failure.ts';
import { mlflowPackages, mlflowVersion } from './version.ts';

/** What the search depends on; each has the default that the test run uses. */
export interface Surroundings {
  readonly env?: NodeJS.ProcessEnv;
  /** Ends an installation. */
  readonly signal?: AbortSignal;
}

const run = promisify(execFile);
const withinMs = 15 * 60_000;
/** The oldest Python that this MLflow runs on. */
const oldestPython = [3, 10] as const;

/**
 * Folder of the programs of a Python environment with MLflow, of our cache or made there with pip. `say` hears what it
 * does and how long that takes. Fails with one line that says what would be needed.
 */
export async function getMlflow(
  say: (line: string) => void,
  { env = process.env, signal }: Surroundings = {},
): Promise<string> {
  const cached = pathOf(env);
  if (await isProgram(join(cached, 'bin', 'mlflow'))) return join(cached, 'bin');
  const python = await findPython(env);
  if (typeof python !== 'string') throw new ToolFailure(lacking(python.barred));
  say(`installing MLflow ${mlflowVersion} with pip, once; this takes 1 to 5 minutes and 370 MB`);
  // an environment knows its own path: it stays where it was made, and a link is what is put in its place at once
  const folder = `${cached}-${randomUUID()}`;
  try {
    await mkdir(folder, { recursive: true });
    await install(python, folder, env, signal);
    await symlink(basename(folder), `${folder}.link`);
    await rename(`${folder}.link`, cached);
    return join(cached, 'bin');
  } catch (error) {
    for (const made of [folder, `${folder}.link`]) await rm(made, { recursive: true, force: true });
    throw error;
  }
}

/** Why it can't be had here; null: it is in the cache, or there is a Python to install it with. */
export async function whyNoMlflow(env: NodeJS.ProcessEnv = process.env): Promise<string | null> {
  if (await isProgram(join(pathOf(env), 'bin', 'mlflow'))) return null;
  const python = await findPython(env);
  return typeof python === 'string' ? null : lacking(python.barred);
}

const pathOf = (env: NodeJS.ProcessEnv): string => join(findHome(env).cache, `mlflow-${mlflowVersion}`);

const lacking = (why: string): string =>
  `no MLflow: ${why}. Install Python ${oldestPython.join('.')} with venv and pip`;

/** Path of a Python that is recent enough and can make an environment, or in a few words why there is none. */
async function findPython(env: NodeJS.ProcessEnv): Promise<string | { readonly barred: string }> {
  const python = await findOnPath('python3', env);
  if (python === null) return { barred: 'there is no Python' };
  const asked = 'import sys, venv, ensurepip; print(*sys.version_info[:2])';
  const { stdout } = await run(python, ['-c', asked], { env, timeout: 30_000 }).catch(() => ({ stdout: '' }));
  const [major, minor] = stdout.trim().split(' ').map(Number);
  if (major === undefined || minor === undefined) return { barred: 'there is no Python with venv and pip' };
  const isRecent = major === oldestPython[0] && minor >= oldestPython[1];
  return isRecent ? python : { barred: `Python ${major}.${minor} is older than ${oldestPython.join('.')}` };
}

async function install(python: string, folder: string, env: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<void> {
  const options = { env, timeout: withinMs, ...(signal === undefined ? {} : { signal }) };
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check'];
  try {
    await run(python, ['-m', 'venv', folder], options);
    await run(join(folder, 'bin', 'python'), [...pip, ...mlflowPackages], options);
  } catch (error) {
    throw new ToolFailure(`no MLflow: its installation with pip failed (${lastLine(error)})`);
  }
}
