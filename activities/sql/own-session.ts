import pg from 'pg';
import { failure } from '../failures.ts';

/** What is asked of a connection here. */
type Asked = Pick<pg.Client, 'query'>;

/** Addresses behind which a session was found to last: looked at once by each process. */
const lasting = new Set<string>();

/**
 * Refuses an address that gives each transaction another server session. What we set for a session (short lock timeouts,
 * the word by which the trigger knows our own writes) would be lost there, or meet the sessions of others.
 */
export async function refusePooled(client: Asked, options: pg.ClientConfig, target: string): Promise<void> {
  const address = options.connectionString ?? '';
  if (lasting.has(address)) return;
  const pid = await backendOf(client);
  if (pid !== announcedTo(client) && (await isShared(client, pid, options))) {
    throw failure(
      'TARGET_POOLED',
      `the address of target ${target} leads to a transaction pooler; give the worker the server's own address`,
    );
  }
  lasting.add(address);
}

/**
 * A pooler hands out its sessions either the latest first, and then a second client gets the one that we have just used,
 * or in turn, and then we do not get it twice ourselves.
 */
async function isShared(client: Asked, pid: number, options: pg.ClientConfig): Promise<boolean> {
  if ((await backendOf(client)) !== pid) return true;
  const other = new pg.Client(options);
  other.on('error', () => undefined);
  try {
    await other.connect();
    return (await backendOf(other)) === pid;
  } finally {
    await other.end().catch(() => undefined);
  }
}

async function backendOf(client: Asked): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return rows[0]?.pid ?? 0;
}

/** The process that the server announced when the session began; a pooler announces a number of its own. */
const announcedTo = (client: Asked): unknown => ('processID' in client ? client.processID : null);
