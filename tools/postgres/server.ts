import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { freePort } from '../ports.ts';
import { commandLine } from '../processes/identity.ts';
import { lastWords, launch, type Launched } from '../processes/launch.ts';
import { likePostgres, stopPid } from '../processes/stop.ts';
import { ToolFailure } from '../tool-failure.ts';
import { getPostgres, type OtherMajor, type PostgresBinaries } from './binaries.ts';
import { ensureCluster } from './cluster.ts';

/** Where a server keeps its data and how it runs. */
export interface PostgresOptions {
  /** Made at the first start. Beside it lie `<dataDir>.password` and, by default, the log. */
  readonly dataDir: string;
  /** Default: the one that the service itself brings. */
  readonly major?: OtherMajor;
  /** Programs that npm has not brought. */
  readonly binaries?: PostgresBinaries;
  /** Default: any free one. */
  readonly port?: number;
  /** Server parameters, such as `fsync: 'off'`. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly logFile?: string;
  readonly ownGroup?: boolean;
  /** See `launch`. */
  readonly recordIn?: string;
}

/** A server that runs and belongs to us. */
export interface RunningPostgres {
  /** Superuser's URL of the database `postgres`, password included: not for logs. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Settles when the server has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Orderly: a fast shutdown; harder when that takes more than 20 s. */
  readonly stop: () => Promise<void>;
}

/** Long, because after a crash it first goes over its log. */
const startWithinMs = 300_000;

/** Starts PostgreSQL on loopback, on TCP only. Fails with one line that says why. */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const { binaries, password } = await prepare(options);
  const port = options.port ?? (await freePort());
  const logFile = options.logFile ?? `${options.dataDir}.log`;
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  const until = Date.now() + startWithinMs;
  for (;;) {
    await removeStaleLock(options.dataDir);
    const child = await launchPostgres(binaries, options, port, logFile);
    if (await answersInTime(child, url, until)) return running(child, url, port);
    const words = await lastWords(child);
    // Backends of a server that was killed may still be at their last statement; they notice when it ends.
    if (Date.now() > until || !words.includes('shared memory block')) {
      throw new ToolFailure(`PostgreSQL did not start: ${words} (log: ${logFile})`);
    }
    await sleep(500);
  }
}

async function prepare({ dataDir, major, binaries: given, settings }: PostgresOptions) {
  const binaries = given ?? (await getPostgres(major));
  return { binaries, password: await ensureCluster(binaries, dataDir, settings?.['fsync'] !== 'off') };
}

function running(child: Launched, url: string, port: number): RunningPostgres {
  const stop = async (): Promise<void> => {
    await stopPid(child.pid, likePostgres);
  };
  return { url, port, pid: child.pid, ended: child.ended, stop };
}

function launchPostgres(
  binaries: PostgresBinaries,
  { dataDir, settings, recordIn, ownGroup = false }: PostgresOptions,
  port: number,
  logFile: string,
): Promise<Launched> {
  return launch({
    what: 'PostgreSQL',
    command: join(binaries.bin, 'postgres'),
    args: ['-D', dataDir, ...flags({ ...fixedSettings(port), ...settings })],
    cwd: dataDir,
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    logFile,
    recordIn,
    escalation: likePostgres,
    ownGroup,
    ...(binaries.user === undefined ? {} : { user: binaries.user }),
  });
}

/**
 * PostgreSQL takes any process with the pid in its lock file for itself, even a zombie or a stranger who got that pid
 * later, and refuses to start. We know better; its own lock on shared memory still keeps two servers apart.
 */
async function removeStaleLock(dataDir: string): Promise<void> {
  const file = join(dataDir, 'postmaster.pid');
  const [firstLine = ''] = (await readFile(file, 'utf8').catch(() => '')).split('\n');
  if (firstLine === '') return;
  const holder = await commandLine(Number(firstLine));
  if (holder === null || !holder.includes(dataDir)) await rm(file, { force: true });
}

/** Creates the database when it is not there. */
export async function ensureDatabase(serverUrl: string, name: string): Promise<string> {
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  try {
    const found = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (found.rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

function fixedSettings(port: number): Record<string, string> {
  return {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    logging_collector: 'off',
    timezone: 'UTC',
  };
}

function flags(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** False: it has ended, or did not answer in time and was ended. */
async function answersInTime(child: Launched, url: string, until: number): Promise<boolean> {
  while (Date.now() < until) {
    if (child.exitCode !== null || child.signalCode !== null) return false;
    if (await connects(url)) return true;
    await sleep(50);
  }
  await stopPid(child.pid, likePostgres);
  return false;
}

async function connects(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  // A server that dies while we ask would otherwise raise an event that nobody listens to.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
