import { execFile } from 'node:child_process';
import { access, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findHome } from './home.ts';
import { ToolFailure } from './tool-failure.ts';

/** A program that can be run. */
export interface FoundProgram {
  readonly command: string;
  /** Folder of libraries that came with it; null: those of the system. */
  readonly libraries: string | null;
}

/** Where a program may be found, and what Debian calls it. */
export interface WantedProgram {
  readonly name: string;
  /** Full paths, the preferred one first. */
  readonly places: readonly string[];
  /** Its place in the package. */
  readonly path: string;
  /** The package, and what of its needs a small system may lack. */
  readonly packages: readonly string[];
}

const run = promisify(execFile);

/**
 * Finds a program, or unpacks Debian's package into the cache; nothing is installed into the system.
 * Fails with one line that says what it would need.
 */
export async function getFromDebian({ name, places, path, packages }: WantedProgram): Promise<FoundProgram> {
  for (const command of places) if (await isThere(command)) return { command, libraries: null };
  const folder = join(findHome().cache, name);
  const unpacked = join(folder, path);
  if (!(await isThere(unpacked))) await unpack(name, packages, folder);
  return { command: unpacked, libraries: join(folder, 'usr/lib', `${machine()}-linux-gnu`) };
}

/** The environment in which such a program finds the libraries that came with it. */
export const libraryPath = (libraries: string | null): Readonly<Record<string, string>> =>
  libraries === null ? {} : { LD_LIBRARY_PATH: libraries };

async function unpack(name: string, packages: readonly string[], folder: string): Promise<void> {
  const half = `${folder}.${process.pid}`;
  await mkdir(half, { recursive: true });
  try {
    await run('apt-get', ['download', '-q', ...packages], { cwd: half });
    for (const file of await readdir(half)) await run('dpkg', ['-x', file, '.'], { cwd: half });
  } catch {
    await rm(half, { recursive: true, force: true });
    throw new ToolFailure(`there is no ${name}: install the package ${name}, or run on Debian with apt-get and dpkg`);
  }
  // Two runs at once both unpack; the first to rename wins, and the other copy is as good.
  await rename(half, folder).catch(() => rm(half, { recursive: true, force: true }));
}

const machine = (): string => (process.arch === 'arm64' ? 'aarch64' : 'x86_64');

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
