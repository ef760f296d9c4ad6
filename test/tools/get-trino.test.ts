import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { getTrino, whyNoTrino } from '../../tools/trino/get.ts';

const run = promisify(execFile);

/** A Maven that has the archive, and puts it where a repository has it. */
const fakeMaven = (archive: string): string => `#!/bin/sh
PATH=/usr/bin:/bin
echo "$*" >> "$(dirname "$0")/called"
for argument in "$@"; do case "$argument" in -Dmaven.repo.local=*) to="\${argument#*=}/io/trino/trino-server-core/476";; esac; done
mkdir -p "$to" && cp "${archive}" "$to/trino-server-core-476.tar.gz"
`;
const java = (version: string): string => `#!/bin/sh\necho 'openjdk version "${version}"' >&2\n`;

describe('getTrino', () => {
  let folder: string;
  let sum: string;
  let said: string[];
  const say = (line: string): void => void said.push(line);
  const env = (): NodeJS.ProcessEnv => ({
    PATH: join(folder, 'bin'),
    JAVA_HOME: join(folder, 'java'),
    LAKESHIFT_CACHE: join(folder, 'cache'),
  });
  const program = async (path: string, text: string): Promise<void> => {
    await writeFile(join(folder, path), text);
    await chmod(join(folder, path), 0o755);
  };

  beforeEach(async () => {
    said = [];
    folder = await mkdtemp(join(tmpdir(), 'lakeshift-get-'));
    for (const name of ['bin', 'java/bin', 'made/trino-server-core-476/lib'])
      await mkdir(join(folder, name), { recursive: true });
    await writeFile(join(folder, 'made/trino-server-core-476/lib/a.jar'), 'a');
    await run('tar', ['-czf', join(folder, 'archive'), '-C', join(folder, 'made'), 'trino-server-core-476']);
    sum = createHash('sha256')
      .update(await readFile(join(folder, 'archive')))
      .digest('hex');
    await program('bin/mvn', fakeMaven(join(folder, 'archive')));
    await program('java/bin/java', java('25.0.3'));
    for (const name of ['tar', 'gzip'])
      await program(`bin/${name}`, `#!/bin/sh\nPATH=/usr/bin:/bin exec ${name} "$@"\n`);
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('fetches it with Maven, once, and keeps nothing else', async () => {
    const found = await getTrino(say, { env: env(), sum });
    expect(found).toEqual({ java: join(folder, 'java/bin/java'), home: join(folder, 'cache/trino-476') });
    expect(await readdir(join(found.home, 'lib'))).toEqual(['a.jar']);
    expect(await getTrino(say, { env: env(), sum })).toEqual(found);
    expect((await readFile(join(folder, 'bin/called'), 'utf8')).trim().split('\n')).toHaveLength(1);
    expect(said).toEqual([expect.stringMatching(/^fetching Trino 476 \(194 MB\) with Maven, once; this takes /)]);
    expect(await readdir(join(folder, 'cache'))).toEqual(['trino-476']);
  });

  it('takes no archive but the one that we know', async () => {
    await expect(getTrino(say, { env: env() })).rejects.toThrow(/is not the one that we know: [0-9a-f]{64} instead of/);
    expect(await readdir(join(folder, 'cache'))).toEqual([]);
  });

  it('says in one line what Maven said', async () => {
    await program('bin/mvn', '#!/bin/sh\necho "[ERROR] no such artifact"\nexit 1\n');
    await expect(getTrino(say, { env: env(), sum })).rejects.toThrow(
      'no Trino: Maven could not fetch it ([ERROR] no such artifact)',
    );
  });

  it('says in one line what is lacking', async () => {
    expect(await whyNoTrino(env())).toBeNull();
    await rm(join(folder, 'bin/mvn'));
    expect(await whyNoTrino(env())).toBe('no Trino: there is no Maven (mvn) to fetch it with');
    await expect(getTrino(say, { env: env(), sum })).rejects.toThrow(/there is no Maven/);
  });
});
