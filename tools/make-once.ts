import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Something that takes long to make, for our cache. */
export interface Making<T> {
  /** Path of the folder that it will be. */
  readonly to: string;
  /** What is there; null: nothing, or not all of it. */
  readonly find: () => Promise<T | null>;
  /** Makes it in a folder beside, which nobody else writes and which goes afterwards, and moves it from there. */
  readonly make: (half: string) => Promise<T>;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Makes it, unless it is there. Of several processes at once the first one makes it, and the others wait for that. */
export async function makeOnce<T>({ to, find, make, say, signal }: Making<T>): Promise<T> {
  const found = await find();
  if (found !== null) return found;
  const half = `${to}.${process.pid}`;
  await mkdir(half, { recursive: true });
  try {
    await othersBefore(half, say, signal);
    return (await find()) ?? (await make(half));
  } finally {
    await rm(half, { recursive: true, force: true });
  }
}

const lookAgainMs = 1_000;

/** Waits until nobody who began before us is at it. */
async function othersBefore(half: string, say: (line: string) => void, signal?: AbortSignal): Promise<void> {
  for (let isTold = false; ; isTold = true) {
    signal?.throwIfAborted();
    const other = await makerBefore(half);
    if (other === null) return;
    if (!isTold) say(`process ${other} makes ${basename(half.slice(0, half.lastIndexOf('.')))}; waiting for it`);
    await sleep(lookAgainMs);
  }
}

/** The pid of a process that began before us; null: there is none. What processes left behind that are gone goes. */
async function makerBefore(half: string): Promise<number | null> {
  const folder = dirname(half);
  const start = basename(half.slice(0, half.lastIndexOf('.') + 1));
  const mine = await bornAt(half);
  for (const name of await readdir(folder)) {
    const pid = Number(name.startsWith(start) ? name.slice(start.length) : Number.NaN);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    if (!isAlive(pid)) await rm(join(folder, name), { recursive: true, force: true });
    else if (isBefore(await bornAt(join(folder, name)), pid, mine)) return pid;
  }
  return null;
}

/** Where two are of the same moment, or the file system keeps none, the smaller pid counts as the first. */
const isBefore = (born: number | null, pid: number, mine: number | null): boolean =>
  born !== null && (born < (mine ?? 0) || (born === mine && pid < process.pid));

/** When a folder was made, epoch ms; null: it is gone. */
const bornAt = (folder: string): Promise<number | null> =>
  stat(folder).then(
    ({ birthtimeMs }) => birthtimeMs,
    () => null,
  );

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // another user's process is there too
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
