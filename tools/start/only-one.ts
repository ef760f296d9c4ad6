import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identify, isRunning, type ProcessIdentity } from '../processes/identity.ts';
import { ToolFailure } from '../tool-failure.ts';

/** Makes sure that nobody else uses these folders; the answer gives them free. Fails with one line when somebody does. */
export async function beTheOnlyOne(runFolder: string): Promise<() => Promise<void>> {
  const file = join(runFolder, 'supervisor.json');
  const self = await identify(process.pid);
  for (;;) {
    try {
      await writeFile(file, JSON.stringify(self), { flag: 'wx' });
      return () => rm(file, { force: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const other = await readIdentity(file);
    if (other !== null && (await isRunning(other))) {
      throw new ToolFailure(
        `Lakeshift runs here already (pid ${other.pid}); end it, or set LAKESHIFT_HOME to another folder`,
      );
    }
    await rm(file, { force: true });
  }
}

async function readIdentity(file: string): Promise<ProcessIdentity | null> {
  try {
    // Only the function above writes this file.
    return JSON.parse(await readFile(file, 'utf8')) as ProcessIdentity | null;
  } catch {
    return null;
  }
}
