import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from '../ports.ts';
import { launch, type Launched } from '../processes/launch.ts';
import { untilReady } from '../processes/until-ready.ts';
import { stopGroup } from './stop-group.ts';

/** What is started where. */
export interface MlflowOptions {
  /** Folder of MLflow's programs, of `getMlflow`. */
  readonly programs: string;
  /** See `launch`. */
  readonly recordIn?: string | undefined;
}

/** A server of MLflow that runs and belongs to us. */
export interface RunningMlflow {
  /** `http://host:port`. */
  readonly url: string;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

/** Starts the tracking server with its registry, in SQLite and a folder of its own: 4 to 8 s, 400 MB. */
export async function startMlflow(options: MlflowOptions): Promise<RunningMlflow> {
  const folder = await mkdtemp(join(tmpdir(), 'lakeshift-mlflow-'));
  const args = ['--backend-store-uri', `sqlite:///${join(folder, 'registry.db')}`, '--workers', '1'];
  const stored = ['--artifacts-destination', join(folder, 'artifacts')];
  return start(options, { folder, what: 'MLflow', args: ['server', ...args, ...stored], health: '/health', env: {} });
}

/** Starts a scoring server of one model of a registry, such as `models:/name/version`: 3 to 8 s, 330 MB. */
export async function startScoring(
  options: MlflowOptions & { readonly registry: string; readonly model: string },
): Promise<RunningMlflow> {
  const folder = await mkdtemp(join(tmpdir(), 'lakeshift-scoring-'));
  const args = ['models', 'serve', '--env-manager', 'local', '-m', options.model];
  const env = { MLFLOW_TRACKING_URI: options.registry };
  return start(options, { folder, what: 'scoring server', args, health: '/ping', env });
}

interface Server {
  readonly folder: string;
  readonly what: string;
  readonly args: readonly string[];
  /** Path that answers 200 once it is ready. */
  readonly health: string;
  readonly env: NodeJS.ProcessEnv;
}

async function start({ programs, recordIn }: MlflowOptions, server: Server): Promise<RunningMlflow> {
  const drop = (): Promise<void> => rm(server.folder, { recursive: true, force: true });
  try {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const child = await launch({
      what: server.what,
      command: join(programs, 'mlflow'),
      args: [...server.args, '--host', '127.0.0.1', '--port', String(port)],
      cwd: server.folder,
      logFile: join(server.folder, 'log'),
      env: { ...environment(programs), ...server.env },
      recordIn,
      // it starts others: they are ended together
      ownGroup: true,
    });
    const stop = async (): Promise<void> => {
      await stopGroup(child);
      await drop();
    };
    await ready(child, server, `${url}${server.health}`).catch(async (error: unknown) => {
      await stop();
      throw error;
    });
    return { url, pid: child.pid, stop };
  } catch (error) {
    await drop();
    throw error;
  }
}

/** Python imports for a while, on a busy machine for longer. */
const withinMs = 90_000;

const ready = (child: Launched, { what }: Server, url: string): Promise<void> =>
  untilReady(
    child,
    what,
    () =>
      fetch(url)
        .then(({ ok }) => ok)
        .catch(() => false),
    withinMs,
  );

/** What MLflow's programs need of the environment. */
export const environment = (programs: string): NodeJS.ProcessEnv => ({
  PATH: [programs, process.env['PATH']].join(delimiter),
  // seven more processes, which nothing here needs
  MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
  MLFLOW_DISABLE_TELEMETRY: 'true',
  DO_NOT_TRACK: 'true',
  PYTHONDONTWRITEBYTECODE: '1',
});
