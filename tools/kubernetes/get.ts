import { execFile } from 'node:child_process';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildWithGo, findGo, isProgram, oldestGo } from '../go.ts';
import { findHome } from '../home.ts';
import { makeOnce } from '../make-once.ts';
import { ToolFailure } from '../tool-failure.ts';
import { etcdVersion, kubernetesLinker as linker, kubernetesVersion } from './version.ts';

/** What the search depends on; each has the default that the test run uses. */
export interface Surroundings {
  readonly env?: NodeJS.ProcessEnv;
  /** Ends a build. */
  readonly signal?: AbortSignal;
}

/** Paths of the programs of a control plane. */
export interface KubernetesBinaries {
  readonly etcd: string;
  readonly apiServer: string;
  readonly controllerManager: string;
}

const run = promisify(execFile);
const programs = ['etcd', 'kube-apiserver', 'kube-controller-manager'] as const;
const packages = [
  'go.etcd.io/etcd/server/v3',
  'k8s.io/kubernetes/cmd/kube-apiserver',
  'k8s.io/kubernetes/cmd/kube-controller-manager',
] as const;

/**
 * The programs of a control plane, of our cache or built from source with Go; no registry has them ready-made.
 * `say` hears what it does and how long that takes. Fails with one line that says what would be needed.
 */
export async function getKubernetes(
  say: (line: string) => void,
  { env = process.env, signal }: Surroundings = {},
): Promise<KubernetesBinaries> {
  const to = folderOf(env);
  return makeOnce({
    to,
    find: async () => ((await isThere(to)) ? binariesOf(to) : null),
    make: async (half) => {
      const go = await findGo(env);
      if (typeof go !== 'string') throw new ToolFailure(lacking(go.barred));
      say(`building Kubernetes ${kubernetesVersion} and etcd ${etcdVersion} with Go, once; this takes 4 to 15 minutes`);
      await build(go, half, env, signal);
      return binariesOf(await keep(half, to));
    },
    say,
    signal,
  });
}

async function build(go: string, half: string, env: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<void> {
  const module = fileURLToPath(new URL('.', import.meta.url));
  const failure = await buildWithGo(go, { module, packages, linker, to: `${half}/`, env, signal });
  if (failure !== null) throw new ToolFailure(`no Kubernetes: the build with Go failed (${failure})`);
  // Go names a program after its package.
  await rename(join(half, 'server'), join(half, 'etcd'));
  for (const name of programs) await check(half, name);
}

/** Why the programs can't be had here; null: they are in the cache, or there is a Go to build them with. */
export async function whyNoKubernetes(env: NodeJS.ProcessEnv = process.env): Promise<string | null> {
  if (await isThere(folderOf(env))) return null;
  const go = await findGo(env);
  return typeof go === 'string' ? null : lacking(go.barred);
}

const folderOf = (env: NodeJS.ProcessEnv): string => join(findHome(env).cache, `kubernetes-${kubernetesVersion}`);

const lacking = (why: string): string => `no Kubernetes: ${why}. Install Go ${oldestGo.join('.')}`;

function binariesOf(folder: string): KubernetesBinaries {
  const [etcd, apiServer, controllerManager] = programs;
  return {
    etcd: join(folder, etcd),
    apiServer: join(folder, apiServer),
    controllerManager: join(folder, controllerManager),
  };
}

async function isThere(folder: string): Promise<boolean> {
  const there = await Promise.all(programs.map((name) => isProgram(join(folder, name))));
  return there.every(Boolean);
}

async function check(folder: string, name: (typeof programs)[number]): Promise<void> {
  const version = name === 'etcd' ? etcdVersion : kubernetesVersion;
  const { stdout } = await run(join(folder, name), ['--version'], { timeout: 60_000 }).catch(() => ({ stdout: '' }));
  if (!stdout.includes(version)) throw new ToolFailure(`no Kubernetes: the ${name} that Go built does not run`);
}

/** A rename of the whole folder, so that nobody ever sees half of it; of two builds at once the first one stays. */
async function keep(half: string, cached: string): Promise<string> {
  await mkdir(dirname(cached), { recursive: true });
  if (await isThere(cached)) return cached;
  // what is there now lacks a program: whoever empties caches stopped half-way
  await rm(cached, { recursive: true, force: true });
  await rename(half, cached);
  return cached;
}
