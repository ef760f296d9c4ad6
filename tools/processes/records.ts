import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identify, isRunning, type ProcessIdentity } from './identity.ts';
import { stopProcess, type Escalation } from './stop.ts';

/** A process that was started, and by whom. One file each. */
interface Record {
  readonly what: string;
  readonly process: ProcessIdentity;
  readonly owner: ProcessIdentity;
  readonly escalation: Escalation;
}

/** Notes a process of ours in the folder; the answer removes the note. A process that has ended already needs none. */
export async function remember(
  folder: string,
  what: string,
  pid: number,
  escalation: Escalation,
): Promise<() => Promise<void>> {
  const [found, owner] = await Promise.all([identify(pid), identify(process.pid)]);
  if (found === null || owner === null) return () => Promise.resolve();
  const record: Record = { what, process: found, owner, escalation };
  const file = join(folder, `${what.toLowerCase()}-${pid}-${randomBytes(4).toString('hex')}.json`);
  await mkdir(folder, { recursive: true });
  // Written aside: half a record would be no record, and what it stood for would never be ended.
  await writeFile(`${file}.new`, JSON.stringify(record));
  await rename(`${file}.new`, file);
  return () => rm(file, { force: true });
}

/**
 * Ends what others have left behind: processes on record whose owner is gone. One that has got the pid of such a
 * process since is somebody else's, and is left alone. Gives the names of what it ended.
 */
export async function sweep(folder: string): Promise<string[]> {
  const ended: string[] = [];
  for (const { file, record } of await readRecords(folder)) {
    if (record !== null && (await isRunning(record.owner))) continue;
    if (record !== null && (await isRunning(record.process))) {
      await stopProcess(record.process, record.escalation);
      ended.push(record.what);
    }
    await rm(file, { force: true });
  }
  return ended;
}

/** Ends what we have started ourselves and is still on record, in order of the names. */
export async function endOwn(folder: string, how: 'orderly' | 'at-once'): Promise<void> {
  for (const { record } of await readRecords(folder)) {
    if (record === null || record.owner.pid !== process.pid) continue;
    await stopProcess(record.process, how === 'orderly' ? record.escalation : record.escalation.slice(-1));
  }
}

async function readRecords(folder: string): Promise<{ file: string; record: Record | null }[]> {
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => name.endsWith('.json')).sort();
  return Promise.all(files.map(async (name) => ({ file: join(folder, name), record: await read(join(folder, name)) })));
}

async function read(file: string): Promise<Record | null> {
  try {
    // Only `remember` writes here, and by renaming whole files.
    return JSON.parse(await readFile(file, 'utf8')) as Record;
  } catch {
    return null;
  }
}
