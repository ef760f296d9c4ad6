import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where the embedded service keeps things; absolute paths. */
export interface Home {
  readonly root: string;
  /** Binaries: may be deleted at any time. */
  readonly cache: string;
  readonly data: string;
  /** What is running now: addresses, pids, secrets made at start. */
  readonly run: string;
  readonly log: string;
}

/** Finds the folders from LAKESHIFT_HOME and LAKESHIFT_CACHE; creates nothing. */
export function findHome(env: NodeJS.ProcessEnv = process.env): Home {
  const byDefault = process.getuid?.() === 0 ? '/var/lib/lakeshift' : join(homedir(), '.lakeshift');
  const root = resolve(env['LAKESHIFT_HOME'] ?? byDefault);
  return {
    root,
    cache: resolve(env['LAKESHIFT_CACHE'] ?? join(root, 'cache')),
    data: join(root, 'data'),
    run: join(root, 'run'),
    log: join(root, 'log'),
  };
}

/** Creates the folders; what is in `run`, `log` and `data` is for their owner's eyes only. */
export async function makeHome(home: Home): Promise<void> {
  for (const folder of [home.root, home.cache]) await mkdir(folder, { recursive: true });
  // Another user, as whom PostgreSQL runs, has to pass through.
  await mkdir(home.data, { recursive: true, mode: 0o711 });
  for (const folder of [home.run, home.log]) await mkdir(folder, { recursive: true, mode: 0o700 });
}
