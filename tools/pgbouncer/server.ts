import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { getPostgres } from '../postgres/binaries.ts';
import { answers, freePort } from '../ports.ts';
import { lastWords, launch, type Launched } from '../processes/launch.ts';
import { politely, stopPid } from '../processes/stop.ts';
import { ToolFailure } from '../tool-failure.ts';
import type { FoundProgram } from '../debian-package.ts';
import { getPgBouncer } from './get.ts';

/** When a server session goes back into the pool. */
export type PoolMode = 'session' | 'transaction' | 'statement';

/** A pooler that runs in front of one server and belongs to us. */
export interface RunningPgBouncer {
  /** The address of a server's database, through the pooler. */
  readonly through: (url: string) => string;
  readonly stop: () => Promise<void>;
}

const startWithinMs = 20_000;

/** Starts PgBouncer on loopback in front of the server at `url`, whose users it knows by the passwords of their addresses. */
export async function startPgBouncer(
  urls: readonly [string, ...string[]],
  poolMode: PoolMode,
  settings: Readonly<Record<string, string>> = {},
): Promise<RunningPgBouncer> {
  const bouncer = await getPgBouncer();
  const folder = await mkdtemp(join(tmpdir(), 'lakeshift-pgbouncer-'));
  const port = await freePort();
  const server = new URL(urls[0]);
  const users = urls.map((url) => new URL(url)).map(({ username, password }) => `"${username}" "${password}"`);
  const ini = {
    listen_addr: '127.0.0.1',
    listen_port: String(port),
    auth_type: 'scram-sha-256',
    auth_file: join(folder, 'users.txt'),
    pool_mode: poolMode,
    default_pool_size: '4',
    unix_socket_dir: '',
    ignore_startup_parameters: 'extra_float_digits',
    ...settings,
  };
  const lines = Object.entries(ini).map(([name, value]) => `${name} = ${value}`);
  await writeFile(join(folder, 'users.txt'), `${[...new Set(users)].join('\n')}\n`);
  await writeFile(
    join(folder, 'pgbouncer.ini'),
    `[databases]\n* = host=${server.hostname} port=${server.port}\n[pgbouncer]\n${lines.join('\n')}\n`,
  );
  const child = await start(bouncer, folder);
  await ready(child, port);
  return {
    through: (url) => Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(port) }).href,
    async stop() {
      await stopPid(child.pid, politely);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function start({ command, libraries }: FoundProgram, folder: string): Promise<Launched> {
  // PgBouncer refuses to run as root, as PostgreSQL does.
  const { user } = await getPostgres();
  await chmod(folder, 0o755);
  if (user !== undefined) await chown(folder, user.uid, user.gid);
  return launch({
    what: 'PgBouncer',
    command,
    args: ['-q', join(folder, 'pgbouncer.ini')],
    cwd: folder,
    logFile: join(folder, 'log'),
    env: { PATH: process.env['PATH'], ...(libraries === null ? {} : { LD_LIBRARY_PATH: libraries }) },
    escalation: politely,
    ...(user === undefined ? {} : { user }),
  });
}

async function ready(child: Launched, port: number): Promise<void> {
  const until = Date.now() + startWithinMs;
  while (Date.now() < until && child.exitCode === null) {
    if (await answers(port)) return;
    await sleep(30);
  }
  throw new ToolFailure(`PgBouncer did not start: ${await lastWords(child)}`);
}
