import { copyFile, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { V1CustomResourceDefinition } from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';
import { findGo, oldestGo } from '../go.ts';
import { downloadGoModule } from '../go-module.ts';
import { findHome } from '../home.ts';
import { ToolFailure } from '../tool-failure.ts';
import { sources, type CustomResources } from './sources.ts';

/** Definitions of that project's resources, of our cache or from its Go module. Fails with one line that says what would be needed. */
export async function getCustomResources(
  of: CustomResources,
  env: NodeJS.ProcessEnv = process.env,
): Promise<readonly V1CustomResourceDefinition[]> {
  const folder = folderOf(of, env);
  const files = await readdir(folder).catch(() => fetchInto(folder, of, env));
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  const { kinds } = sources[of];
  return texts
    .flatMap((text) => [...parseAllDocuments(text)])
    .map((document) => document.toJS() as V1CustomResourceDefinition | null) // these files hold nothing else
    .filter((one) => one !== null)
    .filter(({ kind, spec }) => kind === 'CustomResourceDefinition' && (kinds?.includes(spec.names.kind) ?? true));
}

const folderOf = (of: CustomResources, env: NodeJS.ProcessEnv): string =>
  join(findHome(env).cache, `${of}-resources-${sources[of].module.version.slice(1)}`);

/** Copies the files whole or not at all, and gives their names. */
async function fetchInto(folder: string, of: CustomResources, env: NodeJS.ProcessEnv): Promise<string[]> {
  const go = await findGo(env);
  if (typeof go !== 'string') {
    throw new ToolFailure(`no resources of ${of}: ${go.barred}. Install Go ${oldestGo.join('.')}`);
  }
  const { module, folder: within } = sources[of];
  const from = join(await downloadGoModule(go, module, env), within);
  const files = (await readdir(from)).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml');
  const half = `${folder}.${process.pid}`;
  await mkdir(half, { recursive: true });
  for (const file of files) await copyFile(join(from, file), join(half, file));
  // of two runs at once the first to rename wins, and the other copy is as good
  await rename(half, folder).catch(() => rm(half, { recursive: true, force: true }));
  return files;
}
