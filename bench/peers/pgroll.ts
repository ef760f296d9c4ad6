import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findHome } from '../../tools/home.ts';

const run = promisify(execFile);
const version = '0.14.0';

/** A pgroll binary from our cache, built from its pinned Go module the first time; null when there is no Go. */
export async function getPgroll(say: (line: string) => void): Promise<string | null> {
  const path = join(findHome().cache, `pgroll-${version}`, 'pgroll');
  if (await exists(path)) return path;
  say(`building pgroll ${version} from source with Go, about a minute`);
  await mkdir(dirname(path), { recursive: true });
  try {
    await run('go', ['build', '-trimpath', '-ldflags', '-s -w', '-o', path, 'github.com/xataio/pgroll'], {
      cwd: join(import.meta.dirname, '../../tools/pgroll'),
    });
    return path;
  } catch {
    say('pgroll can not be built here: it needs Go 1.26.4 and its module; its figures are left out');
    return null;
  }
}

/** The same change by pgroll: `start` adds the column, its triggers, and backfills. Init and baseline are not timed. */
export async function preparePgroll(binary: string, url: string): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'lakeshift-pgroll-'));
  const target = url.includes('?') ? url : `${url}?sslmode=disable`;
  const pgroll = (...args: string[]) =>
    run(binary, ['--postgres-url', target, ...args], { cwd: folder, maxBuffer: 1e8 });
  await pgroll('init');
  await mkdir(join(folder, 'migrations'));
  await pgroll('baseline', '01_baseline', join(folder, 'migrations'), '-y');
  const migration = {
    operations: [
      {
        alter_column: {
          table: 'payments',
          column: 'amount',
          type: 'bigint',
          up: 'round(amount * 100)',
          down: 'amount / 100.0',
        },
      },
    ],
  };
  await writeFile(join(folder, '02_cents.json'), JSON.stringify(migration));
  return async () => {
    await pgroll('start', join(folder, '02_cents.json'));
    await rm(folder, { recursive: true });
  };
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
