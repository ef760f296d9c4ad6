import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ToolFailure } from '../tool-failure.ts';
import { letThrough, type PostgresBinaries } from './binaries.ts';

const run = promisify(execFile);

/** The same rules of comparing and the same language of messages on every machine. */
const initdbFlags = (version: string): string[] => [
  ...['-U', 'postgres', '-A', 'scram-sha-256', '--encoding=UTF8', '--no-instructions', '--lc-messages=C'],
  // before 17 no provider is the same everywhere; plain bytes are
  ...(Number.parseInt(version) >= 17 ? ['--locale-provider=builtin', '--locale=C.UTF-8'] : ['--locale=C']),
];

/**
 * The superuser's password of the cluster in `dataDir`, which is made when it is not there. `durable`: what was made
 * outlives a crash of the machine. Fails with one line that says why.
 */
export async function ensureCluster(binaries: PostgresBinaries, dataDir: string, durable: boolean): Promise<string> {
  const passwordFile = `${dataDir}.password`;
  if (await stat(join(dataDir, 'PG_VERSION')).catch(() => null)) {
    await letThrough(binaries, dataDir);
    return (await readFile(passwordFile, 'utf8').catch(() => missing(passwordFile))).trim();
  }
  const password = randomBytes(18).toString('base64url');
  await mkdir(dirname(dataDir), { recursive: true });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  await initialise(binaries, dataDir, password, durable);
  return password;
}

/** Made aside and renamed, so that an interrupted start leaves no half cluster behind. */
async function initialise(
  binaries: PostgresBinaries,
  dataDir: string,
  password: string,
  durable: boolean,
): Promise<void> {
  const half = `${dataDir}.new`;
  await rm(half, { recursive: true, force: true });
  await mkdir(half, { mode: 0o700 });
  await letThrough(binaries, half);
  const passwordFile = `${dataDir}.initial`;
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (binaries.user !== undefined) await chown(passwordFile, binaries.user.uid, binaries.user.gid);
  try {
    await run(
      join(binaries.bin, 'initdb'),
      [...initdbFlags(binaries.version), ...(durable ? [] : ['--no-sync']), '-D', half, `--pwfile=${passwordFile}`],
      {
        cwd: '/',
        env: { PATH: process.env['PATH'], LC_ALL: 'C' },
        ...binaries.user,
      },
    );
    await chmod(half, 0o700);
    await rename(half, dataDir);
  } catch (error) {
    throw new ToolFailure(`PostgreSQL could not create its data in ${dataDir}: ${firstLine(error)}`);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

function missing(file: string): never {
  throw new ToolFailure(`${file}, which holds the password of the PostgreSQL beside it, can't be read`);
}

function firstLine(error: unknown): string {
  // A failed child process carries what it wrote; its message only repeats the command line.
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
  return (
    said
      .trim()
      .split('\n')
      .find((line) => /error/i.test(line)) ?? said.trim().slice(0, 200)
  );
}
