import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../ports.ts';
import { launch } from '../processes/launch.ts';
import { stopPid, type Escalation } from '../processes/stop.ts';
import { untilReady } from '../processes/until-ready.ts';
import type { TrinoBinaries } from './get.ts';

/** A Trino of one node that runs and belongs to us. */
export interface RunningTrino {
  /** `http://127.0.0.1:port`; without user and password. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

/** Asked to end, it would wait for its queries. */
const atOnce: Escalation = [{ signal: 'SIGKILL', waitMs: 5_000 }];
const readyWithinMs = 180_000;

/** What its own launcher gives Java; small, and started quickly rather than run fast. */
const javaFlags = [
  '-Xmx512m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:+ExitOnOutOfMemoryError',
  '-XX:+EnableDynamicAgentLoading',
  '-Djdk.attach.allowAttachSelf=true',
  '--enable-native-access=ALL-UNNAMED',
  '--sun-misc-unsafe-memory-access=allow',
];

/** Starts a coordinator that is its own worker, with the catalog `system`. It is ready when it takes statements. */
export async function startTrino(
  { java, home }: TrinoBinaries,
  { recordIn }: { readonly recordIn?: string } = {},
): Promise<RunningTrino> {
  const folder = await mkdtemp(join(tmpdir(), 'lakeshift-trino-'));
  const drop = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    await configure(folder, home, url, port);
    const child = await launch({
      what: 'Trino',
      command: java,
      args: [
        ...javaFlags,
        `-Dconfig=${join(folder, 'etc/config.properties')}`,
        `-Dlog.levels-file=${join(folder, 'etc/log.properties')}`,
        '-cp',
        join(home, 'lib/*'),
        'io.trino.server.TrinoServer',
      ],
      cwd: folder,
      logFile: join(folder, 'log'),
      escalation: atOnce,
      recordIn,
    });
    await untilReady(child, 'Trino', () => isReady(url), readyWithinMs);
    const stop = async (): Promise<void> => {
      await stopPid(child.pid, atOnce);
      await drop();
    };
    return { url, port, pid: child.pid, stop };
  } catch (error) {
    await drop();
    throw error;
  }
}

async function configure(folder: string, home: string, url: string, port: number): Promise<void> {
  for (const name of ['etc/catalog', 'plugin', 'secrets-plugin']) await mkdir(join(folder, name), { recursive: true });
  const settings = {
    'node.environment': 'test',
    'node.bind-ip': '127.0.0.1',
    'node.internal-address': '127.0.0.1',
    coordinator: 'true',
    'node-scheduler.include-coordinator': 'true',
    'http-server.http.port': String(port),
    // the addresses of next pages are those that a proxy was asked by
    'http-server.process-forwarded': 'true',
    'discovery.uri': url,
    'query.max-memory': '128MB',
    'query.max-memory-per-node': '128MB',
    'memory.heap-headroom-per-node': '64MB',
    'plugin.dir': join(home, 'plugin'),
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(join(folder, 'etc/config.properties'), lines.join(''));
  await writeFile(join(folder, 'etc/log.properties'), 'io.trino=WARN\n');
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/v1/info`, { signal: AbortSignal.timeout(5_000) });
    return ((await response.json()) as { starting?: unknown }).starting === false; // what /v1/info promises
  } catch {
    return false;
  }
}
