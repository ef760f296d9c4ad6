import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ReleaseSpec } from '../contracts/release-spec.ts';

const run = promisify(execFile);
const command = join(import.meta.dirname, '../cli/lakeshift.mjs');

/** `lakeshift deploy FILE --wait`, as a person would; fails when it did not end as wanted. */
export async function cliDeploy(api: string, spec: ReleaseSpec): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lakeshift-deploy-'));
  try {
    const file = join(folder, 'spec.json');
    await writeFile(file, JSON.stringify(spec));
    const env = { ...process.env, LAKESHIFT_API: api };
    await run(process.execPath, [command, 'deploy', file, '--wait', '--again'], { env, timeout: 300_000 });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
