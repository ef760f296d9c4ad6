import { execFile } from 'node:child_process';
import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { buildWithGo, findGo, isProgram, oldestGo } from '../go.ts';
import { downloadGoModule } from '../go-module.ts';
import { findHome } from '../home.ts';
import { makeOnce } from '../make-once.ts';
import { ToolFailure } from '../tool-failure.ts';
import { copySource } from './source.ts';
import { traefikModule, traefikVersion } from './version.ts';

/** What the search depends on; each has the default that the test run uses. */
export interface Surroundings {
  readonly env?: NodeJS.ProcessEnv;
  /** Ends a build. */
  readonly signal?: AbortSignal;
}

const run = promisify(execFile);
const linker = `-X github.com/traefik/traefik/v3/pkg/version.Version=${traefikVersion}`;

/**
 * Path of Traefik, of our cache or built from source with Go; no registry has it ready-made. `say` hears what it does and
 * how long that takes. Fails with one line that says what would be needed.
 */
export async function getTraefik(
  say: (line: string) => void,
  { env = process.env, signal }: Surroundings = {},
): Promise<string> {
  const cached = pathOf(env);
  return makeOnce({
    to: dirname(cached),
    find: async () => ((await isProgram(cached)) ? cached : null),
    make: async (half) => {
      const go = await findGo(env);
      if (typeof go !== 'string') throw new ToolFailure(lacking(go.barred));
      say(`building Traefik ${traefikVersion} with Go, once; this takes 3 to 15 minutes`);
      await build(go, half, env, signal);
      await mkdir(dirname(cached), { recursive: true });
      await rename(join(half, 'traefik'), cached);
      return cached;
    },
    say,
    signal,
  });
}

/** Why it can't be had here; null: it is in the cache, or there is a Go to build it with. */
export async function whyNoTraefik(env: NodeJS.ProcessEnv = process.env): Promise<string | null> {
  if (await isProgram(pathOf(env))) return null;
  const go = await findGo(env);
  return typeof go === 'string' ? null : lacking(go.barred);
}

const pathOf = (env: NodeJS.ProcessEnv): string => join(findHome(env).cache, `traefik-${traefikVersion}`, 'traefik');

const lacking = (why: string): string => `no Traefik: ${why}. Install Go ${oldestGo.join('.')}`;

async function build(go: string, half: string, env: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<void> {
  const [module, to] = [join(half, 'source'), join(half, 'traefik')];
  await copySource(await downloadGoModule(go, traefikModule, env, signal), module);
  const failure = await buildWithGo(go, { module, packages: ['./cmd/traefik'], linker, to, env, signal });
  if (failure !== null) throw new ToolFailure(`no Traefik: the build with Go failed (${failure})`);
  const { stdout } = await run(to, ['version'], { timeout: 60_000 }).catch(() => ({ stdout: '' }));
  if (!stdout.includes(traefikVersion)) throw new ToolFailure('no Traefik: what Go built does not run');
}
