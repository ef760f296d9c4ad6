import { execFile } from 'node:child_process';
import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildWithGo, findGo, isProgram, oldestGo } from '../go.ts';
import { findHome } from '../home.ts';
import { makeOnce } from '../make-once.ts';
import { ToolFailure } from '../tool-failure.ts';
import type { Surroundings } from './get.ts';
import { kubernetesLinker as linker, kubernetesVersion } from './version.ts';

const run = promisify(execFile);
const program = 'k8s.io/kubernetes/cmd/kubectl';

/**
 * Path of kubectl, of our cache or built from the module of the control plane, which itself does not need it. Fails with
 * one line that says what would be needed.
 */
export async function getKubectl(
  say: (line: string) => void,
  { env = process.env, signal }: Surroundings = {},
): Promise<string> {
  const cached = join(findHome(env).cache, `kubectl-${kubernetesVersion}`, 'kubectl');
  return makeOnce({
    to: dirname(cached),
    find: async () => ((await isProgram(cached)) ? cached : null),
    make: async (half) => {
      const go = await findGo(env);
      if (typeof go !== 'string') throw new ToolFailure(`no kubectl: ${go.barred}. Install Go ${oldestGo.join('.')}`);
      say(`building kubectl ${kubernetesVersion} with Go, once; this takes up to 5 minutes`);
      const built = join(half, 'kubectl');
      await build(go, built, env, signal);
      await mkdir(dirname(cached), { recursive: true });
      await rename(built, cached);
      return cached;
    },
    say,
    signal,
  });
}

async function build(go: string, to: string, env: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<void> {
  const module = fileURLToPath(new URL('.', import.meta.url));
  const failure = await buildWithGo(go, { module, packages: [program], linker, to, env, signal });
  if (failure !== null) throw new ToolFailure(`no kubectl: the build with Go failed (${failure})`);
  const { stdout } = await run(to, ['version', '--client'], { timeout: 60_000 }).catch(() => ({ stdout: '' }));
  if (!stdout.includes(kubernetesVersion)) throw new ToolFailure('no kubectl: what Go built does not run');
}
