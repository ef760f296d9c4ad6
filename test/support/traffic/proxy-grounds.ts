import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer as createHttp, type Server as HttpServer } from 'node:http';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import type { HaproxyRoute, NginxRoute } from '../../../contracts/route.ts';
import { getHaproxy } from '../../../tools/haproxy/get.ts';
import { askRuntime } from '../../../tools/haproxy/runtime.ts';
import { startHaproxy } from '../../../tools/haproxy/server.ts';
import { getNginx } from '../../../tools/nginx/get.ts';
import { reload, startNginx } from '../../../tools/nginx/server.ts';
import { freePort } from '../../../tools/ports.ts';
import type { TestNamespace } from '../kubernetes/cluster.ts';
import { required } from '../servers.ts';
import { Objects, type Ground } from './ground.ts';

/** A proxy that runs, and can be held up. */
export interface ProxyGround extends Ground {
  /** Where requests are sent. */
  readonly url: string;
  /** Of the proxy's own process. */
  readonly pid: number;
}

/** HAProxy, and who may speak to it. */
export interface HaproxyGround extends ProxyGround {
  /** Somebody gives it a command past us. */
  readonly command: (command: string) => Promise<string>;
}

/** NGINX, and whether its reload command works. */
export interface NginxGround extends ProxyGround {
  /** From now on its reload command fails, or works again. */
  readonly breakReload: (broken: boolean) => void;
  readonly file: string;
  /** It ends, and its files stay. */
  readonly end: () => Promise<void>;
}

const lackingOf = (found: Promise<unknown>): Promise<string> => found.then(() => '', String);

/** Why there can be no HAProxy here; empty: there can. */
export const lacksHaproxy = await lackingOf(getHaproxy());
/** Why there can be no NGINX here; empty: there can. */
export const lacksNginx = await lackingOf(getNginx());

const portOf = (server: Server | HttpServer): number => (server.address() as AddressInfo).port; // it listens on TCP

async function close(server: Server | HttpServer): Promise<void> {
  if ('closeAllConnections' in server) server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

/** A side that answers with its version. */
async function side(version: string): Promise<HttpServer> {
  const server = createHttp((_, answer) => {
    answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ version }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** HAProxy before two sides; its runtime API by TCP, with a clerk in between who counts what is set. */
export async function haproxyGround(namespace: TestNamespace): Promise<HaproxyGround> {
  const objects = new Objects(namespace);
  const [stable, candidate, port] = [await side('v1'), await side('v2'), await freePort()];
  const server = await startHaproxy(
    () => `
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
frontend front
  bind 127.0.0.1:${port}
  default_backend split
backend split
  balance roundrobin
  server stable 127.0.0.1:${portOf(stable)} weight 100
  server candidate 127.0.0.1:${portOf(candidate)} weight 0
  server spare 127.0.0.1:${portOf(stable)} weight 0
`,
    required('LAKESHIFT_TEST_PROCESSES'),
  );
  let sets = 0;
  const clerk = createServer({ allowHalfOpen: true }, (socket) => {
    const passed = connect({ path: server.runtime, allowHalfOpen: true });
    socket.on('data', (part) => void (sets += part.includes('set weight') ? 1 : 0));
    socket.pipe(passed).pipe(socket);
    for (const one of [socket, passed]) one.on('error', () => [socket, passed].map((each) => each.destroy()));
  });
  clerk.listen(0, '127.0.0.1');
  await once(clerk, 'listening');
  const address = `127.0.0.1:${portOf(clerk)}`;
  const weigh = async (weight: number): Promise<void> => {
    await askRuntime(server.runtime, `set weight split/stable ${100 - weight}; set weight split/candidate ${weight}`);
  };
  return {
    url: `http://127.0.0.1:${port}`,
    pid: server.program.pid,
    command: (command) => askRuntime(server.runtime, command),
    router: (name) => ({ kind: 'haproxy', address: name === 'nobody' ? '127.0.0.1:1' : address }),
    fresh: async (name) => {
      await weigh(0);
      const held = await objects.workload(name);
      const route: HaproxyRoute = {
        ...{ via: 'haproxy', router: 'edge', backend: 'split' },
        ...{ stable: 'stable', candidate: 'candidate' },
      };
      return {
        route,
        held,
        astray: { ...route, backend: 'gone' },
        stranger: { ...route, candidate: 'gone' },
        content: () => askRuntime(server.runtime, 'show servers state split').then(withoutTimes),
        version: () => Promise.resolve(String(sets)),
        byHand: weigh,
      };
    },
    stop: async () => {
      await server.stop();
      await Promise.all([stable, candidate, clerk].map(close));
    },
  };
}

/** `srv_time_since_last_change` is the tenth column. */
const withoutTimes = (state: string): string =>
  state
    .split('\n')
    .map((line) =>
      line
        .split(' ')
        .filter((_, column) => column !== 9 && column < 20)
        .join(' '),
    )
    .join('\n');

/** NGINX before two sides. */
export async function nginxGround(namespace: TestNamespace): Promise<NginxGround> {
  const objects = new Objects(namespace);
  const [stable, candidate, port] = [await side('v1'), await side('v2'), await freePort()];
  const [of, to] = [`127.0.0.1:${portOf(stable)}`, `127.0.0.1:${portOf(candidate)}`];
  const lines = (weight: number): string =>
    `# kept by hand\n${line(of, 100 - weight, ' max_fails=3')}${line(to, weight, '')}server 127.0.0.1:1 backup;\n`;
  const server = await startNginx({
    port,
    configure: async (folder) => {
      await writeFile(join(folder, 'weights.conf'), lines(0));
      return `upstream split { zone split 64k; include ${join(folder, 'weights.conf')}; }
        server { listen 127.0.0.1:${port}; location / { proxy_pass http://split; } }`;
    },
    recordIn: required('LAKESHIFT_TEST_PROCESSES'),
  });
  const file = join(server.folder, 'weights.conf');
  let broken = false;
  const byHand = async (weight: number): Promise<void> => {
    await writeFile(file, lines(weight));
    await reload(server);
  };
  return {
    url: `http://127.0.0.1:${port}`,
    pid: server.program.pid,
    file,
    end: () => server.program.down(),
    breakReload: (now) => void (broken = now),
    router: (name) => ({
      kind: 'nginx',
      file: name === 'nobody' ? `${file}.gone` : file,
      reload: broken ? ['false'] : server.reloadCommand,
    }),
    fresh: async (name) => {
      await byHand(0);
      const held = await objects.workload(name);
      const route: NginxRoute = { via: 'nginx', router: 'edge', stable: of, candidate: to };
      return {
        route,
        held,
        astray: { ...route, router: 'nobody' },
        stranger: { ...route, candidate: '127.0.0.1:2' },
        content: () => readFile(file, 'utf8'),
        version: async () => {
          const { mtimeNs, ino } = await stat(file, { bigint: true });
          return `${ino} ${mtimeNs}`;
        },
        byHand,
      };
    },
    stop: async () => {
      await server.stop();
      await Promise.all([stable, candidate].map(close));
    },
  };
}

const line = (server: string, weight: number, more: string): string =>
  `server ${server}${more} ${weight === 0 ? 'down' : `weight=${weight}`};\n`;
