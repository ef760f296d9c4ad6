import { execFile } from 'node:child_process';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildWithGo, findGo, isProgram, oldestGo } from '../go.ts';
import { findHome } from '../home.ts';
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
  if (await isProgram(cached)) return cached;
  const go = await findGo(env);
  if (typeof go !== 'string') throw new ToolFailure(`no kubectl: ${go.barred}. Install Go ${oldestGo.join('.')}`);
  say(`building kubectl ${kubernetesVersion} with Go, once; this takes up to 5 minutes`);
  const half = `${cached}.${process.pid}`;
  await mkdir(dirname(cached), { recursive: true });
  try {
    const module = fileURLToPath(new URL('.', import.meta.url));
    const failure = await buildWithGo(go, { module, packages: [program], linker, to: half, env, signal });
    if (failure !== null) throw new ToolFailure(`no kubectl: the build with Go failed (${failure})`);
    const { stdout } = await run(half, ['version', '--client'], { timeout: 60_000 }).catch(() => ({ stdout: '' }));
    if (!stdout.includes(kubernetesVersion)) throw new ToolFailure('no kubectl: what Go built does not run');
    // of two builds at once the last one stays; both are the same
    await rename(half, cached);
    return cached;
  } finally {
    await rm(half, { force: true });
  }
}
