import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reload, startNginx as startServer } from '../../../tools/nginx/server.ts';
import { freePort } from '../../../tools/ports.ts';
import type { TestNamespace } from '../kubernetes/cluster.ts';
import { required } from '../servers.ts';
import { plane, type Addresses } from './endpoints.ts';
import { sideNames, type DataPlane, type Side, type Sides } from './sides.ts';

/** NGINX in front of two sides: another weights file and a reload move requests. */
export interface NginxPlane extends DataPlane {
  /** The whole content of the `upstream` of both sides; a line for each: `server <address> weight=95;`, of weight 0 `server <address> down;`. */
  readonly weightsFile: string;
  readonly addresses: Readonly<Record<Side, string>>;
  /** Program and arguments that have it read its files again; fails when they are wrong. */
  readonly reloadCommand: readonly [string, ...string[]];
}

/** Starts NGINX and keeps its servers the ready pods of both sides; all requests go to stable. */
export async function startNginx(namespace: TestNamespace, sides: Sides): Promise<NginxPlane> {
  const port = await freePort();
  const configure = async (folder: string): Promise<string> => {
    const { stable, candidate } = socketsIn(folder);
    await writeWhole(join(folder, 'weights.conf'), `server ${stable} weight=100;\nserver ${candidate} down;\n`);
    await writeSides(folder, { stable: [], candidate: [] });
    return http(folder, port);
  };
  const server = await startServer({ port, configure, recordIn: required('LAKESHIFT_TEST_PROCESSES') });
  const follow = async (addresses: Addresses): Promise<void> => {
    await writeSides(server.folder, addresses);
    await reload(server);
  };
  const { program, folder, stop } = server;
  const made = await plane({ url: `http://127.0.0.1:${port}`, program, stop }, namespace, sides, follow);
  const up = async (): Promise<void> => {
    // one that ends gracefully leaves its sockets, and the next one can't have them
    for (const side of sideNames) await rm(join(folder, side), { force: true });
    await made.up();
  };
  return {
    ...made,
    up,
    weightsFile: join(folder, 'weights.conf'),
    addresses: socketsIn(folder),
    reloadCommand: server.reloadCommand,
  };
}

const socketsIn = (folder: string): Readonly<Record<Side, string>> => ({
  stable: `unix:${join(folder, 'stable')}`,
  candidate: `unix:${join(folder, 'candidate')}`,
});

/** A reload closes connections that rest, and one may be in use again by then: so none is kept (8 of 4,000 requests were lost). */
const http = (folder: string, port: number): string => `
  keepalive_timeout 0;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  # what a retry would hide is what the tests look for
  proxy_next_upstream off;
  upstream split { zone split 64k; include ${join(folder, 'weights.conf')}; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { proxy_pass http://split; }
  }
  include ${join(folder, 'sides.conf')};`;

const writeSides = (folder: string, addresses: Addresses): Promise<void> =>
  writeWhole(join(folder, 'sides.conf'), sideNames.map((side) => sideOf(folder, side, addresses[side])).join(''));

/** A server that failed once is not left out for a while: which pods are ready is for Kubernetes to say. */
const sideOf = (folder: string, side: Side, addresses: readonly string[]): string => `
upstream ${side} {
  zone ${side} 64k;
${(addresses.length === 0 ? ['127.0.0.1:1 down'] : addresses.map((address) => `${address} max_fails=0`)).map((server) => `  server ${server};\n`).join('')}}
server {
  listen ${socketsIn(folder)[side]};
  location / { proxy_pass http://${side}; }
}
`;

/** Nobody reads half a file. */
async function writeWhole(file: string, content: string): Promise<void> {
  await writeFile(`${file}.new`, content);
  await rename(`${file}.new`, file);
}
