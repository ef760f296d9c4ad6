import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getTraefik, whyNoTraefik } from '../../tools/traefik/get.ts';
import { traefikModule, traefikVersion } from '../../tools/traefik/version.ts';

/** A Go that has a module with read-only files, and "builds" a program that answers with its version. */
const fakeGo = (module: string, sum: string): string => `#!/bin/sh
PATH=/usr/bin:/bin
if [ "$1" = env ]; then echo go1.26.8; exit 0; fi
echo "$*" >> "$(dirname "$0")/called"
if [ "$1" = mod ]; then echo '{"Dir": "${module}", "Sum": "${sum}"}'; exit 0; fi
cat pkg/provider/acme/provider.go pkg/provider/acme/dns/dns.go > "$(dirname "$0")/built"
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\necho Version: ${traefikVersion}\\n' > "$2"
chmod +x "$2"
`;

describe('getTraefik', () => {
  let folder: string;
  let said: string[];
  const say = (line: string): void => void said.push(line);
  const cache = (): string => join(folder, 'cache');
  const env = (): NodeJS.ProcessEnv => ({ PATH: join(folder, 'bin'), LAKESHIFT_CACHE: cache() });
  const note = (name: string): Promise<string> => readFile(join(folder, 'bin', name), 'utf8').catch(() => '');
  const go = async (
    change: (script: string) => string = (script) => script,
    sum = traefikModule.sum,
  ): Promise<void> => {
    await writeFile(join(folder, 'bin', 'go'), change(fakeGo(join(folder, 'module'), sum)));
    await chmod(join(folder, 'bin', 'go'), 0o755);
  };

  beforeEach(async () => {
    said = [];
    folder = await mkdtemp(join(tmpdir(), 'lakeshift-get-'));
    const acme = join(folder, 'module', 'pkg/provider/acme');
    await mkdir(join(folder, 'bin'));
    await mkdir(acme, { recursive: true });
    await writeFile(join(acme, 'provider.go'), 'import "github.com/go-acme/lego/v4/providers/dns"\n');
    await chmod(join(acme, 'provider.go'), 0o444);
    await chmod(acme, 0o555);
  });
  afterEach(async () => {
    await chmod(join(folder, 'module', 'pkg/provider/acme'), 0o755);
    await rm(folder, { recursive: true });
  });

  it('builds it with Go, once, from the pinned module without the clients of DNS services', async () => {
    await go();
    const found = await getTraefik(say, { env: env() });
    expect(found).toBe(join(cache(), `traefik-${traefikVersion}`, 'traefik'));
    expect(await getTraefik(say, { env: env() })).toBe(found);
    expect((await note('called')).trim().split('\n')).toEqual([
      `mod download -json ${traefikModule.path}@${traefikModule.version}`,
      expect.stringMatching(/^build .*\.\/cmd\/traefik$/),
    ]);
    const built = await note('built');
    expect(built).toContain('import "github.com/traefik/traefik/v3/pkg/provider/acme/dns"');
    expect(built).not.toContain('lego/v4/providers/dns');
    expect(said).toEqual([expect.stringMatching(/^building Traefik .* with Go, once; this takes 3 to 15 minutes$/)]);
    // nothing half-made is left behind
    expect(await readdir(cache())).toEqual([`traefik-${traefikVersion}`]);
  });

  it.each([
    ['of a build that failed', /^no Traefik: the build with Go failed \(no such package\)$/, 'cat pkg'],
    ['of a module that can not be had', /could not be fetched \(no such package\)$/, 'if [ "$1" = mod ]'],
  ])('keeps nothing %s, and says why in one line', async (_, message, before) => {
    await go((script) => script.replace(before, `echo no such package >&2; exit 1; ${before}`));
    await expect(getTraefik(say, { env: env() })).rejects.toThrow(message);
    expect(await readdir(cache())).toEqual([]);
  });

  it('builds no source but the one that we know', async () => {
    await go((script) => script, 'h1:another');
    await expect(getTraefik(say, { env: env() })).rejects.toThrow(/is not the one that we know: h1:another instead of/);
    expect(await note('called')).not.toContain('build');
  });

  it('says in one line what would be needed where there is no Go', async () => {
    const line = 'no Traefik: there is no Go to build it with. Install Go 1.26.4';
    await expect(getTraefik(say, { env: env() })).rejects.toThrow(line);
    expect(await whyNoTraefik(env())).toBe(line);
    await go();
    expect(await whyNoTraefik(env())).toBeNull();
    expect(await note('called')).toBe('');
  });
});
