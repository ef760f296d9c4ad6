import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { getTemporal } from '../../tools/temporal/get.ts';
import { temporalVersion } from '../../tools/temporal/version.ts';

const answering = '#!/bin/sh\necho "temporal version 0 (Server 0, UI 0)"\n';
const broken = 'not a program\n';

/** A Go that "builds" a program that answers, and notes how it was called. */
const fakeGo = (version: string): string => `#!/bin/sh
if [ "$1" = env ]; then echo go${version}; exit 0; fi
echo "$PWD $*" > "$(dirname "$0")/called"
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\necho temporal version built\\n' > "$2"
chmod +x "$2"
`;

describe('getTemporal', () => {
  let folder: string;
  let said: string[];
  const say = (line: string): void => void said.push(line);
  const path = (): string => join(folder, 'bin');
  const cached = (): string => join(folder, 'cache', `temporal-${temporalVersion}`, 'temporal');
  const env = (): NodeJS.ProcessEnv => ({ PATH: path(), LAKESHIFT_CACHE: join(folder, 'cache') });
  const offline = (): Promise<string> => Promise.reject(new Error('no internet'));

  beforeEach(async () => {
    said = [];
    folder = await mkdtemp(join(tmpdir(), 'lakeshift-get-'));
    await mkdir(path());
    // The scripts are written with absolute interpreters but use these.
    for (const tool of ['dirname', 'chmod'])
      await program(join(path(), tool), `#!/bin/sh\nexec /usr/bin/env -i PATH=/usr/bin:/bin ${tool} "$@"\n`);
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function program(file: string, content: string): Promise<void> {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    await chmod(file, 0o755);
  }

  it('takes the one on the PATH before the one in the cache', async () => {
    await program(join(path(), 'temporal'), answering);
    await program(cached(), answering);
    await expect(getTemporal(say, { env: env(), download: offline })).resolves.toBe(join(path(), 'temporal'));
    expect(said).toEqual([]);
  });

  it('takes the cache when there is none on the PATH', async () => {
    await program(cached(), answering);
    await expect(getTemporal(say, { env: env(), download: offline })).resolves.toBe(cached());
  });

  it('fetches a broken cached file again, and says so in one line', async () => {
    await program(cached(), broken);
    const download = async (to: string): Promise<string> => {
      await program(join(to, 'temporal-cli'), answering);
      return join(to, 'temporal-cli');
    };
    await expect(getTemporal(say, { env: env(), download })).resolves.toBe(cached());
    expect(said[0]).toBe(`${cached()} is broken; fetching it again`);
    expect(await readFile(cached(), 'utf8')).toBe(answering);
  });

  it('does not keep a download that does not run', async () => {
    const download = async (to: string): Promise<string> => {
      await program(join(to, 'temporal-cli'), broken);
      return join(to, 'temporal-cli');
    };
    await expect(getTemporal(say, { env: env(), download })).rejects.toThrow('what was downloaded does not run');
    await expect(readFile(cached())).rejects.toThrow('ENOENT');
  });

  it('builds it with Go, from the module that pins it, when nothing can be downloaded', async () => {
    await program(join(path(), 'go'), fakeGo('1.26.8'));
    await expect(getTemporal(say, { env: env(), download: offline })).resolves.toBe(cached());
    expect(said.at(-1)).toMatch(/^building Temporal .* from source with Go, once; this takes/);
    const called = await readFile(join(path(), 'called'), 'utf8');
    expect(called).toMatch(/tools\/temporal build .*github\.com\/temporalio\/cli\/cmd\/temporal/);
  });

  it.each(['1.26.3', '1.25.9', '1.9'])('does not try with Go %s, which is too old', async (version) => {
    await program(join(path(), 'go'), fakeGo(version));
    await expect(getTemporal(say, { env: env(), download: offline })).rejects.toThrow(`Go ${version}`);
    await expect(readFile(join(path(), 'called'))).rejects.toThrow('ENOENT');
  });

  it('says in one line what would be needed when every way is barred', async () => {
    const failure = await getTemporal(say, { env: env(), download: offline }).catch(String);
    expect(failure).toMatch(/none on the PATH; none in the cache; it could not be downloaded; there is no Go/);
    expect(failure).toMatch(/Set TEMPORAL_ADDRESS, or install the Temporal CLI or Go 1\.26\.4$/);
    expect(failure).not.toContain('\n');
  });
});
