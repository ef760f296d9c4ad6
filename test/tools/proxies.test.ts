import { once } from 'node:events';
import { createServer, get, type Server } from 'node:http';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { getHaproxy } from '../../tools/haproxy/get.ts';
import { askRuntime } from '../../tools/haproxy/runtime.ts';
import { startHaproxy } from '../../tools/haproxy/server.ts';
import { getNginx } from '../../tools/nginx/get.ts';
import { reload, startNginx } from '../../tools/nginx/server.ts';
import { freePort } from '../../tools/ports.ts';
import { identify } from '../../tools/processes/identity.ts';
import { whyNot } from '../support/data-planes/why-not.ts';
import { until } from './run-start.ts';

const lacking = { haproxy: await whyNot('HAProxy', getHaproxy()), nginx: await whyNot('NGINX', getNginx()) };

/** A server that answers with its name. */
async function says(name: string): Promise<{ server: Server; port: number }> {
  const server = createServer((_, response) => response.end(name)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 };
}

/** Whose answers come through the proxy to that many requests, one after the other. */
async function answers(port: number, requests: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let asked = 0; asked < requests; asked += 1) {
    const name = await new Promise<string>((resolve, reject) => {
      get({ port, host: '127.0.0.1', agent: false }, (response) => {
        text(response).then(resolve, reject);
      }).on('error', reject);
    });
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

const nothing = (): Promise<void> => Promise.resolve();

describe('the proxies of the tests', () => {
  let servers: { server: Server; port: number }[];
  let port: number;
  let stop: () => Promise<void>;
  beforeEach(async () => {
    servers = [await says('old'), await says('new')];
    port = await freePort();
    stop = nothing;
  });
  afterEach(async () => {
    await stop();
    for (const { server } of servers) {
      server.close();
      server.closeAllConnections();
    }
  });
  const at = (index: number): string => `127.0.0.1:${servers[index]?.port ?? 0}`;

  (lacking.haproxy === '' ? it : it.skip)(
    `HAProxy splits by the weights that its runtime API is given, exactly${lacking.haproxy}`,
    async () => {
      const haproxy = await startHaproxy(
        () => `
defaults
  mode http
  timeout connect 2s
  timeout client 10s
  timeout server 10s
listen front
  bind 127.0.0.1:${port}
  balance roundrobin
  server old ${at(0)} weight 100
  server new ${at(1)} weight 0
`,
      );
      stop = haproxy.stop;
      expect(await answers(port, 20)).toEqual({ old: 20 });
      expect(await askRuntime(haproxy.runtime, 'set weight front/old 75; set weight front/new 25')).toBe('');
      expect(await answers(port, 100)).toEqual({ old: 75, new: 25 });
      expect(await askRuntime(haproxy.runtime, 'set weight front/older 75')).toContain('No such server');
      await haproxy.stop();
      stop = nothing;
      expect(await identify(haproxy.program.pid)).toBeNull();
      await expect(askRuntime(haproxy.runtime, 'show info')).rejects.toThrow();
    },
  );

  (lacking.nginx === '' ? it : it.skip)(
    `NGINX splits by the file that it reads again, and refuses a wrong one${lacking.nginx}`,
    async () => {
      const weights = (folder: string, old: number): Promise<void> =>
        writeFile(
          join(folder, 'weights.conf'),
          `server ${at(0)} weight=${old};\nserver ${at(1)} ${old === 100 ? 'down' : `weight=${100 - old}`};\n`,
        );
      const nginx = await startNginx({
        port,
        configure: async (folder) => {
          await weights(folder, 100);
          return `upstream split { zone split 64k; include weights.conf; }
            server { listen 127.0.0.1:${port}; location / { proxy_pass http://split; } }`;
        },
      });
      stop = nginx.stop;
      expect(await answers(port, 20)).toEqual({ old: 20 });
      await weights(nginx.folder, 75);
      await reload(nginx);
      // for a moment the worker of before still takes some
      await until('the new weights are kept', async () => {
        const { old, new: candidate } = await answers(port, 100);
        return old === 75 && candidate === 25;
      });
      await writeFile(join(nginx.folder, 'weights.conf'), 'server nonsense');
      await expect(reload(nginx)).rejects.toThrow(/weights\.conf/);
      expect(await answers(port, 20)).toEqual({ old: 15, new: 5 });
      await nginx.stop();
      stop = nothing;
      expect(await identify(nginx.program.pid)).toBeNull();
    },
  );

  (lacking.haproxy === '' ? it : it.skip)(
    `a configuration that is wrong is told in one line, and nothing stays${lacking.haproxy}`,
    async () => {
      await expect(startHaproxy(() => 'nonsense')).rejects.toThrow(/^HAProxy did not start: .*configuration/);
    },
  );
});
