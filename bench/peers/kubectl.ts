import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { getKubectl } from '../../tools/kubernetes/get-kubectl.ts';

const run = promisify(execFile);

/** What a person would run by hand, in one namespace of one cluster. */
export interface Kubectl {
  /** Fails when kubectl does. */
  readonly run: (...args: readonly string[]) => Promise<void>;
  /** The recipe of `blue-green.sh`, which finds kubectl on its path. */
  readonly blueGreen: (...args: readonly string[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The kubectl of the cluster's own version, with that text of a kubeconfig. */
export async function openKubectl(
  kubeconfig: string,
  namespace: string,
  say: (line: string) => void,
): Promise<Kubectl> {
  const program = await getKubectl(say);
  const folder = await mkdtemp(join(tmpdir(), 'lakeshift-kubectl-'));
  const file = join(folder, 'kubeconfig');
  // its namespace is that of the context, so that the recipe reads as people write it
  const config = JSON.parse(kubeconfig) as { readonly contexts: { readonly context: Record<string, string> }[] }; // tools/kubernetes/kubeconfig.ts writes it
  for (const { context } of config.contexts) context['namespace'] = namespace;
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  const path = [dirname(program), process.env['PATH'] ?? ''].join(delimiter);
  const env = { ...process.env, KUBECONFIG: file, PATH: path, HOME: folder };
  const tell = async (command: string, args: readonly string[]): Promise<void> => {
    await run(command, args, { env, timeout: 300_000 });
  };
  return {
    run: (...args) => tell(program, args),
    blueGreen: (...args) => tell(join(import.meta.dirname, 'blue-green.sh'), args),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
