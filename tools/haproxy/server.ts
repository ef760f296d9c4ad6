import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { libraryPath } from '../debian-package.ts';
import { launch, type Launched } from '../processes/launch.ts';
import { Restartable } from '../processes/restartable.ts';
import { untilReady } from '../processes/until-ready.ts';
import { getHaproxy } from './get.ts';
import { askRuntime } from './runtime.ts';

/** A HAProxy that runs and belongs to us. */
export interface RunningHaproxy {
  /** Path of its runtime API, a Unix socket with all rights. */
  readonly runtime: string;
  readonly program: Restartable;
  readonly stop: () => Promise<void>;
}

/** Starts HAProxy in one process. `configure` gets its folder, and gives all sections but `global`. */
export async function startHaproxy(configure: (folder: string) => string, recordIn?: string): Promise<RunningHaproxy> {
  const { command, libraries } = await getHaproxy();
  const folder = await mkdtemp(join(tmpdir(), 'lakeshift-haproxy-'));
  const drop = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const [file, runtime] = [join(folder, 'haproxy.cfg'), join(folder, 'runtime')];
    const global = ['global', `  stats socket ${runtime} mode 600 level admin`, '  hard-stop-after 5s'];
    await writeFile(file, `${global.join('\n')}\n${configure(folder)}\n`);
    const run = (): Promise<Launched> =>
      launch({
        what: 'HAProxy',
        command,
        args: ['-db', '-f', file],
        cwd: folder,
        logFile: join(folder, 'log'),
        env: { PATH: process.env['PATH'], ...libraryPath(libraries) },
        recordIn,
      });
    const server = await Restartable.of(() => ready(run, runtime));
    const stop = async (): Promise<void> => {
      await server.down();
      await drop();
    };
    return { runtime, program: server, stop };
  } catch (error) {
    await drop();
    throw error;
  }
}

async function ready(run: () => Promise<Launched>, runtime: string): Promise<Launched> {
  const child = await run();
  await untilReady(child, 'HAProxy', () =>
    askRuntime(runtime, 'show info').then(
      (said) => said.includes(`Pid: ${child.pid}`),
      () => false,
    ),
  );
  return child;
}
