import { access, constants, readFile, statfs } from 'node:fs/promises';
import { freemem, tmpdir } from 'node:os';

const inMemory = '/dev/shm';
/** A run was seen to use less than a quarter of this, bytes. */
const plenty = 6 * 2 ** 30;

/**
 * Folder in which a run keeps the data of its servers and whatever its tests write. Nothing of it outlives the run, so it
 * lies in memory where that has plenty of room; `TMPDIR`, when it is set, says otherwise.
 */
export async function findScratch(): Promise<string> {
  const given = process.env['TMPDIR'];
  if (given !== undefined) return given;
  return (await isRoomy(inMemory)) ? inMemory : tmpdir();
}

/** Every folder in which a run may have left something. */
export const scratches = (): readonly string[] => [...new Set([tmpdir(), inMemory])];

async function isRoomy(folder: string): Promise<boolean> {
  try {
    await access(folder, constants.W_OK);
    const { bavail, bsize } = await statfs(folder);
    // programs are made there too
    const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').map((line) => line.split(' '));
    const options = mounts.find(([, at]) => at === folder)?.[3]?.split(',') ?? ['noexec'];
    return bavail * bsize >= plenty && freemem() >= 2 * plenty && !options.includes('noexec');
  } catch {
    return false;
  }
}
