import { join } from 'node:path';
import { askRuntime } from '../../../tools/haproxy/runtime.ts';
import { startHaproxy as startServer } from '../../../tools/haproxy/server.ts';
import { freePort } from '../../../tools/ports.ts';
import type { TestNamespace } from '../kubernetes/cluster.ts';
import { required } from '../servers.ts';
import { plane, type Addresses } from './endpoints.ts';
import { sideNames, type DataPlane, type Side, type Sides } from './sides.ts';

/** HAProxy in front of two sides: `set weight split/stable 95` and `set weight split/candidate 5` move requests. */
export interface HaproxyPlane extends DataPlane {
  /** Path of its runtime API, a Unix socket. */
  readonly runtime: string;
}

/** As many pods as a side may have at once, those that have just gone included. */
const slots = 64;

/** Starts HAProxy and keeps its servers the ready pods of both sides; all requests go to stable. */
export async function startHaproxy(namespace: TestNamespace, sides: Sides): Promise<HaproxyPlane> {
  const port = await freePort();
  const server = await startServer((folder) => configuration(folder, port), required('LAKESHIFT_TEST_PROCESSES'));
  const run = (command: string): Promise<void> => change(server.runtime, command);
  const { program, runtime, stop } = server;
  let [servers, servedBy] = [sideServers(), program.pid];
  const follow = async (addresses: Addresses): Promise<void> => {
    // another process has no servers yet
    if (program.pid !== servedBy) [servers, servedBy] = [sideServers(), program.pid];
    for (const side of sideNames) await servers[side].become(addresses[side], run);
  };
  const made = await plane({ url: `http://127.0.0.1:${port}`, program, stop }, namespace, sides, follow);
  return { ...made, runtime };
}

const sideServers = () => ({ stable: new SideServers('stable'), candidate: new SideServers('candidate') });

/** Two levels: the weights of two fixed servers, and the pods of each behind a socket of its own. */
const configuration = (folder: string, port: number): string => `
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  # what a retry would hide is what the tests look for
  retries 0
frontend front
  bind 127.0.0.1:${port}
  default_backend split
backend split
  balance roundrobin
  server stable unix@${join(folder, 'stable')} weight 100
  server candidate unix@${join(folder, 'candidate')} weight 0
${sideNames.map((side) => sideOf(folder, side)).join('')}`;

const sideOf = (folder: string, side: Side): string => `
frontend ${side}
  bind unix@${join(folder, side)}
  default_backend ${side}
backend ${side}
  balance roundrobin
  server-template pod 1-${slots} 127.0.0.1:1 disabled
`;

async function change(runtime: string, command: string): Promise<void> {
  const said = await askRuntime(runtime, command);
  // of an address it says what has changed, of the rest nothing
  if (said !== '' && !/^(IP|port) changed|^no need to change/i.test(said)) {
    throw new Error(`HAProxy refuses "${command}": ${said}`);
  }
}

/** Which pod has which slot of a side. */
class SideServers {
  readonly #side: Side;
  readonly #taken = new Map<string, string>();
  /** The one that has been free for the longest comes first: what is under way at a pod that goes can end there. */
  readonly #free = Array.from({ length: slots }, (_, index) => `pod${index + 1}`);

  constructor(side: Side) {
    this.#side = side;
  }

  /** Makes these the servers: first the new ones, so that there is always one. After a failure it goes on where it was. */
  async become(addresses: readonly string[], run: (command: string) => Promise<void>): Promise<void> {
    for (const address of addresses) if (!this.#taken.has(address)) await this.#add(address, run);
    for (const [address, slot] of [...this.#taken]) {
      if (addresses.includes(address)) continue;
      await run(`set server ${this.#side}/${slot} state maint`);
      this.#taken.delete(address);
      this.#free.push(slot);
    }
  }

  async #add(address: string, run: (command: string) => Promise<void>): Promise<void> {
    const [slot] = this.#free;
    if (slot === undefined) throw new Error(`side ${this.#side} has more than ${slots} pods`);
    const [host = '', port = ''] = address.split(':');
    await run(`set server ${this.#side}/${slot} addr ${host} port ${port}`);
    await run(`set server ${this.#side}/${slot} state ready`);
    this.#free.shift();
    this.#taken.set(address, slot);
  }
}
