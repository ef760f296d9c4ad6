import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { promisify } from 'node:util';

/** A part of 10.250.0.0/16 whose addresses end up at this machine and belong to one test run. */
export interface PodNetwork {
  /** Number of the part, 0 to 15. */
  readonly part: number;
  /** Gives the part back; whoever is the last removes the route. */
  readonly close: () => Promise<void>;
}

const run = promisify(execFile);
const range = '10.250.0.0/16';
const parts = 16;
const thirdsPerPart = 256 / parts;
const hostsPerThird = 253;

/** Pods of this part, for addresses that are given out one after the other. */
export const podsPerPart = thirdsPerPart * hostsPerThird;

/** Address of the node that the pods of this part run on. */
export const nodeAddress = (part: number): string => `10.250.${part * thirdsPerPart}.1`;

/** Address of the n-th pod of this part; after the last one it begins again. */
export function podAddress(part: number, n: number): string {
  const third = part * thirdsPerPart + (Math.floor(n / hostsPerThird) % thirdsPerPart);
  return `10.250.${third}.${2 + (n % hostsPerThird)}`;
}

/** Makes each address of the range one of this machine and takes a part of it; or says why that can't be. */
export async function openPodNetwork(): Promise<PodNetwork | { readonly lacking: string }> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    return { lacking: 'pods get addresses by a route, for which it takes root on Linux' };
  }
  const lacking = await addRoute();
  if (lacking !== null) return { lacking };
  for (let part = 0; part < parts; part += 1) {
    const lock = await claim(part);
    if (lock !== null) return { part, close: () => giveBack(lock) };
  }
  return { lacking: `all ${parts} parts of ${range} are taken by other test runs` };
}

async function addRoute(): Promise<string | null> {
  try {
    // all but the local table, where our own route is
    const { stdout } = await run('ip', ['-4', 'route', 'show', 'to', 'match', '10.250.0.1']);
    const others = stdout.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('default'));
    if (others[0] !== undefined) return `${range} is a network of this machine: ${others[0].trim()}`;
    await run('ip', ['-4', 'route', 'add', 'local', range, 'dev', 'lo']);
    return null;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return said.includes('File exists') ? null : `no route to ${range}: ${said.trim().split('\n').at(-1) ?? ''}`;
  }
}

/** A part belongs to the process that listens there: it lets go of it however it ends. Null: somebody else has it. */
async function claim(part: number): Promise<Server | null> {
  const lock = createServer().unref();
  lock.listen({ host: nodeAddress(part), port: 1, exclusive: true });
  try {
    await once(lock, 'listening');
    return lock;
  } catch {
    return null;
  }
}

async function giveBack(lock: Server): Promise<void> {
  lock.close();
  await once(lock, 'close');
  const free = await Promise.all(Array.from({ length: parts }, (_, part) => claim(part)));
  if (free.every((claimed) => claimed !== null)) {
    await run('ip', ['-4', 'route', 'del', 'local', range, 'dev', 'lo']).catch(() => undefined);
  }
  for (const claimed of free) claimed?.close();
}
