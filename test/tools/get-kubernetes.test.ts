import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getKubernetes, whyNoKubernetes } from '../../tools/kubernetes/get.ts';
import { etcdVersion, kubernetesVersion } from '../../tools/kubernetes/version.ts';

/** A Go that "builds" programs that answer, and notes how it was called. */
const fakeGo = (version: string): string => `#!/bin/sh
PATH=/usr/bin:/bin
if [ "$1" = env ]; then echo go${version}; exit 0; fi
echo "$PWD $*" >> "$(dirname "$0")/called"
while [ "$1" != -o ]; do shift; done
for name in server kube-apiserver kube-controller-manager; do
  printf '#!/bin/sh\\necho etcd ${etcdVersion}, Kubernetes v${kubernetesVersion}\\n' > "$2$name"
  chmod +x "$2$name"
done
`;

describe('getKubernetes', () => {
  let folder: string;
  let said: string[];
  const say = (line: string): void => void said.push(line);
  const cache = (): string => join(folder, 'cache');
  const programs = (): string => join(cache(), `kubernetes-${kubernetesVersion}`);
  const env = (): NodeJS.ProcessEnv => ({ PATH: join(folder, 'bin'), LAKESHIFT_CACHE: cache() });
  const called = async (): Promise<readonly string[]> =>
    (await readFile(join(folder, 'bin', 'called'), 'utf8').catch(() => '')).split('\n').slice(0, -1);
  const program = async (name: string, content: string): Promise<void> => {
    await writeFile(join(folder, 'bin', name), content);
    await chmod(join(folder, 'bin', name), 0o755);
  };

  beforeEach(async () => {
    said = [];
    folder = await mkdtemp(join(tmpdir(), 'lakeshift-get-'));
    await mkdir(join(folder, 'bin'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('builds all programs with Go, once, from the module that pins them', async () => {
    await program('go', fakeGo('1.26.8'));
    const found = await getKubernetes(say, { env: env() });
    expect(found.etcd).toBe(join(programs(), 'etcd'));
    expect(await getKubernetes(say, { env: env() })).toEqual(found);
    expect(await called()).toEqual([
      expect.stringMatching(/tools\/kubernetes build .*etcd\/server\/v3 .*kube-apiserver .*kube-controller-manager$/),
    ]);
    expect(said).toEqual([expect.stringMatching(/^building Kubernetes .* with Go, once; this takes 4 to 15 minutes$/)]);
    // nothing half-made is left behind
    expect(await readdir(cache())).toEqual([`kubernetes-${kubernetesVersion}`]);
  });

  it('builds again when a program is missing from the cache', async () => {
    await program('go', fakeGo('1.26.8'));
    const { apiServer } = await getKubernetes(say, { env: env() });
    await rm(apiServer);
    await getKubernetes(say, { env: env() });
    expect(await readdir(programs())).toEqual(['etcd', 'kube-apiserver', 'kube-controller-manager']);
  });

  it('keeps nothing of a build that failed, and says why in one line', async () => {
    await program('go', fakeGo('1.26.8').replace('while', 'echo no such module >&2; exit 1; while'));
    await expect(getKubernetes(say, { env: env() })).rejects.toThrow(
      /^no Kubernetes: the build with Go failed \(no such module\)$/,
    );
    expect(await readdir(cache())).toEqual([]);
  });

  it('says in one line what would be needed where there is no Go', async () => {
    const line = 'no Kubernetes: there is no Go to build it with. Install Go 1.26.4';
    await expect(getKubernetes(say, { env: env() })).rejects.toThrow(line);
    expect(await whyNoKubernetes(env())).toBe(line);
    await program('go', fakeGo('1.25.0'));
    expect(await whyNoKubernetes(env())).toMatch(/Go 1\.25\.0 is older than 1\.26\.4/);
    await program('go', fakeGo('1.26.4'));
    expect(await whyNoKubernetes(env())).toBeNull();
    expect(await called()).toEqual([]);
  });
});
