import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { startPostgres, type RunningPostgres } from '../../tools/postgres/server.ts';
import { CuttingProxy } from './cutting-proxy.ts';

const run = promisify(execFile);

/** A primary and a standby that follows it without being waited for, behind one address. */
export class Failover {
  readonly primary: RunningPostgres;
  readonly standby: RunningPostgres;
  /** Where applications and we find whichever is in service. */
  readonly front: CuttingProxy;
  readonly #stream: CuttingProxy;
  readonly #folder: string;

  private constructor(
    folder: string,
    servers: { primary: RunningPostgres; standby: RunningPostgres },
    proxies: { front: CuttingProxy; stream: CuttingProxy },
  ) {
    this.#folder = folder;
    this.primary = servers.primary;
    this.standby = servers.standby;
    this.front = proxies.front;
    this.#stream = proxies.stream;
  }

  static async start(): Promise<Failover> {
    const folder = await mkdtemp(join(tmpdir(), 'lakeshift-failover-'));
    const [one, two] = [join(folder, 'one'), join(folder, 'two')];
    const settings = { fsync: 'off', hot_standby: 'on' };
    // copied while it stands still, it needs no tool of the server's version
    await (await startPostgres({ dataDir: one, settings })).stop();
    await run('cp', ['-a', one, two]);
    await run('cp', ['-a', `${one}.password`, `${two}.password`]);
    const primary = await startPostgres({ dataDir: one, settings });
    const stream = await CuttingProxy.open(primary.url);
    const { hostname, port, username, password } = new URL(stream.url);
    await writeFile(join(two, 'standby.signal'), '');
    await appendFile(
      join(two, 'postgresql.auto.conf'),
      `primary_conninfo = 'host=${hostname} port=${port} user=${username} password=${password} sslmode=disable gssencmode=disable'\n`,
    );
    const standby = await startPostgres({ dataDir: two, settings });
    return new Failover(folder, { primary, standby }, { front: await CuttingProxy.open(primary.url), stream });
  }

  /** Waits until the standby has all that the primary has. */
  async caughtUp(): Promise<void> {
    for (;;) {
      const [row] = await rowsAt(
        this.primary.url,
        'SELECT bool_and(replay_lsn >= pg_current_wal_lsn()) AS caught FROM pg_stat_replication',
      );
      if (row?.['caught'] === true) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** From now on nothing that the primary commits reaches the standby. */
  partTheTwo(): Promise<void> {
    return this.#stream.close();
  }

  /** The primary is gone; the address leads to the standby, which only reads so far. */
  async losePrimary(): Promise<void> {
    await this.primary.stop();
    this.front.pointAt(this.standby.url);
  }

  async promote(): Promise<void> {
    await rowsAt(this.standby.url, 'SELECT pg_promote()');
  }

  async stop(): Promise<void> {
    await Promise.all([this.front.close(), this.#stream.close().catch(() => undefined)]);
    await Promise.all([this.standby.stop(), this.primary.stop()]);
    await rm(this.#folder, { recursive: true });
  }
}

/** Rows that one statement gives at a server. */
export async function rowsAt(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
