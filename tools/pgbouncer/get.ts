import { execFile } from 'node:child_process';
import { access, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findHome } from '../home.ts';
import { ToolFailure } from '../tool-failure.ts';

/** A PgBouncer that can be run. */
export interface PgBouncer {
  readonly command: string;
  /** Folder of libraries that came with it; null: those of the system. */
  readonly libraries: string | null;
}

const run = promisify(execFile);
const places = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer', '/usr/local/bin/pgbouncer', '/opt/homebrew/bin/pgbouncer'];
/** The package, and what of its needs a small system may lack. */
const packages = ['pgbouncer', 'libc-ares2', 'libevent-2.1-7'];

/**
 * Finds PgBouncer, or unpacks Debian's package into the cache; nothing is installed into the system.
 * Fails with one line that says what it would need.
 */
export async function getPgBouncer(): Promise<PgBouncer> {
  for (const command of places) if (await isThere(command)) return { command, libraries: null };
  const folder = join(findHome().cache, 'pgbouncer');
  const unpacked = join(folder, 'usr/sbin/pgbouncer');
  if (!(await isThere(unpacked))) await unpack(folder);
  return { command: unpacked, libraries: join(folder, 'usr/lib', `${machine()}-linux-gnu`) };
}

async function unpack(folder: string): Promise<void> {
  const half = `${folder}.${process.pid}`;
  await mkdir(half, { recursive: true });
  try {
    await run('apt-get', ['download', '-q', ...packages], { cwd: half });
    for (const file of await readdir(half)) await run('dpkg', ['-x', file, '.'], { cwd: half });
  } catch {
    await rm(half, { recursive: true, force: true });
    throw new ToolFailure(
      'there is no pgbouncer: install the package pgbouncer, or run on Debian with apt-get and dpkg',
    );
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
