import { execFile } from 'node:child_process';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { libraryPath } from '../debian-package.ts';
import { answers } from '../ports.ts';
import { launch, type Launched } from '../processes/launch.ts';
import { Restartable } from '../processes/restartable.ts';
import type { Escalation } from '../processes/stop.ts';
import { untilReady } from '../processes/until-ready.ts';
import { getNginx } from './get.ts';

/** What NGINX is to do. */
export interface NginxOptions {
  /** Where it listens on loopback once it is ready. */
  readonly port: number;
  /** Writes what the configuration includes into the folder, and gives the content of its `http` block. */
  readonly configure: (folder: string) => Promise<string>;
  /** See `launch`. */
  readonly recordIn?: string;
}

/** An NGINX that runs and belongs to us. */
export interface RunningNginx {
  readonly folder: string;
  readonly program: Restartable;
  /** Program and arguments that have it read its configuration again; a wrong one changes nothing and fails. */
  readonly reloadCommand: readonly [string, ...string[]];
  readonly stop: () => Promise<void>;
}

const run = promisify(execFile);

/** SIGTERM would cut what is being answered. */
const gracefully: Escalation = [
  { signal: 'SIGQUIT', waitMs: 5_000 },
  { signal: 'SIGTERM', waitMs: 5_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
];

/** Starts NGINX with one worker, so that weights are kept exactly. */
export async function startNginx({ port, configure, recordIn }: NginxOptions): Promise<RunningNginx> {
  const { command, libraries } = await getNginx();
  const folder = await mkdtemp(join(tmpdir(), 'lakeshift-nginx-'));
  const drop = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const env = libraryPath(libraries);
  const args = ['-p', folder, '-c', 'nginx.conf', '-e', 'error.log'];
  try {
    await writeFile(join(folder, 'nginx.conf'), configuration(await configure(folder)));
    const run = (): Promise<Launched> =>
      launch({
        what: 'NGINX',
        command,
        args,
        cwd: folder,
        logFile: join(folder, 'log'),
        env,
        escalation: gracefully,
        recordIn,
      });
    const server = await Restartable.of(() => ready(run, folder, port), gracefully);
    const stop = async (): Promise<void> => {
      await server.down();
      await drop();
    };
    const named = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    return { folder, program: server, reloadCommand: ['env', ...named, command, ...args, '-s', 'reload'], stop };
  } catch (error) {
    await drop();
    throw error;
  }
}

async function ready(run: () => Promise<Launched>, folder: string, port: number): Promise<Launched> {
  const child = await run();
  // it can be told nothing before it has written its pid
  const isKnown = (): Promise<boolean> =>
    access(join(folder, 'nginx.pid')).then(
      () => true,
      () => false,
    );
  await untilReady(child, 'NGINX', async () => (await answers(port)) && (await isKnown()));
  return child;
}

/** Has a running NGINX read its configuration again. It follows a moment later; rejects with NGINX's words when the configuration is wrong. */
export async function reload({ reloadCommand: [command, ...args] }: RunningNginx): Promise<void> {
  await run(command, args, { timeout: 20_000 });
}

const configuration = (http: string): string => `
daemon off;
${process.getuid?.() === 0 ? 'user root root; # its folder is for our eyes only' : ''}
worker_processes 1;
pid nginx.pid;
events { worker_connections 4096; }
http {
  access_log off;
${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `  ${kind}_temp_path ${kind};`).join('\n')}
${http}
}
`;
