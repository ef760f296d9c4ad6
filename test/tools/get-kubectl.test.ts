import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getKubectl } from '../../tools/kubernetes/get-kubectl.ts';
import { kubernetesVersion } from '../../tools/kubernetes/version.ts';

/** A Go that notes what it is asked and "builds" a program that answers with that version. */
const fakeGo = (version: string): string => `#!/bin/sh
PATH=/usr/bin:/bin
if [ "$1" = env ]; then echo go1.26.8; exit 0; fi
echo "$*" >> "$(dirname "$0")/called"
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\necho Client Version: v${version}\\n' > "$2"
chmod +x "$2"
`;

describe('getKubectl', () => {
  let folder: string;
  const said: string[] = [];
  const say = (line: string): void => void said.push(line);
  const env = (): NodeJS.ProcessEnv => ({ PATH: join(folder, 'bin'), LAKESHIFT_CACHE: join(folder, 'cache') });
  const go = async (version: string): Promise<void> => {
    await writeFile(join(folder, 'bin', 'go'), fakeGo(version));
    await chmod(join(folder, 'bin', 'go'), 0o755);
  };
  beforeEach(async () => {
    said.length = 0;
    folder = await mkdtemp(join(tmpdir(), 'lakeshift-get-'));
    await mkdir(join(folder, 'bin'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('builds it with Go, once, and nothing else of the control plane', async () => {
    await go(kubernetesVersion);
    const found = await getKubectl(say, { env: env() });
    expect(found).toBe(join(folder, 'cache', `kubectl-${kubernetesVersion}`, 'kubectl'));
    expect(await getKubectl(say, { env: env() })).toBe(found);
    const called = (await readFile(join(folder, 'bin', 'called'), 'utf8')).trim().split('\n');
    expect(called).toEqual([expect.stringMatching(/^build .* k8s\.io\/kubernetes\/cmd\/kubectl$/)]);
    expect(said).toEqual([expect.stringContaining('building kubectl')]);
  });

  it('keeps nothing that does not run as that version', async () => {
    await go('1.0.0');
    await expect(getKubectl(say, { env: env() })).rejects.toThrow('no kubectl: what Go built does not run');
    expect(await readdir(join(folder, 'cache'))).toEqual([]);
  });

  it('says what is needed where there is no Go', async () => {
    await expect(getKubectl(say, { env: env() })).rejects.toThrow(
      /^no kubectl: there is no Go .* Install Go 1\.26\.4$/,
    );
  });
});
