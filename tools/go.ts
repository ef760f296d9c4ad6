import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

/** What to build: main packages that the module in `module` pins. */
export interface GoBuild {
  /** Folder of the go.mod. */
  readonly module: string;
  readonly packages: readonly [string, ...string[]];
  /** Linker's flags beside those that leave out what only a debugger reads. */
  readonly linker?: string;
  /** A file, or with a slash at its end a folder that gets each package under its own name. */
  readonly to: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
}

const run = promisify(execFile);
const buildWithinMs = 30 * 60_000;

/** The oldest Go that our modules build with. */
export const oldestGo = [1, 26, 4] as const;

/** Path of a Go that is recent enough, or in a few words why there is none. */
export async function findGo(env: NodeJS.ProcessEnv): Promise<string | { readonly barred: string }> {
  const go = await findOnPath('go', env);
  if (go === null) return { barred: 'there is no Go to build it with' };
  const version = await goVersion(go, env);
  return isRecent(version) ? go : { barred: `Go ${version.join('.')} is older than ${oldestGo.join('.')}` };
}

/** Builds with that Go; null when it is done, otherwise Go's last line. Ends after 30 minutes. */
export async function buildWithGo(go: string, build: GoBuild): Promise<string | null> {
  const linker = ['-s -w', build.linker ?? ''].join(' ').trimEnd();
  try {
    await run(go, ['build', '-trimpath', '-ldflags', linker, '-o', build.to, ...build.packages], {
      cwd: build.module,
      // Nothing here needs a C compiler, and without one Go would fail half-way.
      env: { ...build.env, CGO_ENABLED: '0' },
      timeout: buildWithinMs,
      ...(build.signal === undefined ? {} : { signal: build.signal }),
    });
    return null;
  } catch (error) {
    return lastLine(error);
  }
}

/** Path of a program, or null. */
export async function findOnPath(name: string, env: NodeJS.ProcessEnv): Promise<string | null> {
  for (const folder of (env['PATH'] ?? '').split(delimiter).filter((entry) => entry !== '')) {
    if (await isProgram(join(folder, name))) return join(folder, name);
  }
  return null;
}

/** Whether there is a file that may be run. */
export async function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function goVersion(go: string, env: NodeJS.ProcessEnv): Promise<number[]> {
  const { stdout } = await run(go, ['env', 'GOVERSION'], { env }).catch(() => ({ stdout: '' }));
  return (/^go(\d+)\.(\d+)(?:\.(\d+))?/.exec(stdout) ?? []).slice(1).map((part) => Number(part || 0));
}

function isRecent(version: readonly number[]): boolean {
  for (const [at, least] of oldestGo.entries()) {
    const have = version[at] ?? 0;
    if (have !== least) return have > least;
  }
  return true;
}

/** The last line that a failed child process wrote, at most 200 characters. */
export function lastLine(error: unknown): string {
  // A failed child process carries what it wrote; its message only repeats the command line.
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
  return said.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
}
