import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Notes that it was called, takes its time, and leaves what the real one leaves. */
const npm = `#!/bin/sh
echo "$*" >> calls
sleep 0.3
mkdir -p node_modules
cp package-lock.json node_modules/.package-lock.json
`;

const lock = (version: string): string =>
  JSON.stringify({
    packages: {
      '': { name: 'ours' },
      'node_modules/needed': { version },
      'node_modules/for-another-system': { version: '1.0.0', optional: true },
    },
  });

describe('the bootstrap', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lakeshift-bootstrap-'));
    for (const name of ['bootstrap.mjs', 'run.mjs']) {
      const from = fileURLToPath(new URL(`../../tools/${name}`, import.meta.url));
      await cp(from, join(folder, 'tools', name));
    }
    await mkdir(join(folder, 'bin'));
    await writeNpm(npm);
    await writeFile(join(folder, 'package-lock.json'), lock('1.0.0'));
    await writeFile(
      join(folder, 'hello.ts'),
      'const who: string | undefined = process.argv[2];\nconsole.log(`hello ${who}`);\n',
    );
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function writeNpm(script: string): Promise<void> {
    await writeFile(join(folder, 'bin', 'npm'), script);
    await chmod(join(folder, 'bin', 'npm'), 0o755);
  }

  function run(who: string): Promise<{ code: number; out: string; err: string }> {
    const env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}` };
    return new Promise((resolve) => {
      const child = execFile(
        process.execPath,
        [join(folder, 'tools/run.mjs'), 'hello.ts', who],
        { env },
        (_error, out, err) => {
          resolve({ code: child.exitCode ?? -1, out, err });
        },
      );
    });
  }

  const calls = async (): Promise<number> =>
    (await readFile(join(folder, 'calls'), 'utf8').catch(() => '')).split('\n').filter((line) => line !== '').length;

  it('installs what is missing once, says so, and runs the script', async () => {
    const first = await run('you');
    expect(first).toMatchObject({ code: 0, out: 'hello you\n' });
    expect(first.err).toContain('installing the dependencies of package-lock.json');
    expect(await run('again')).toEqual({ code: 0, out: 'hello again\n', err: '' });
    expect(await calls()).toBe(1);
  });

  it('installs again when the lock file names another version', async () => {
    await run('you');
    await writeFile(join(folder, 'package-lock.json'), lock('1.0.1'));
    expect((await run('you')).code).toBe(0);
    expect(await calls()).toBe(2);
  });

  it('does not miss what is only for another system', async () => {
    await mkdir(join(folder, 'node_modules'));
    const notes = { packages: { 'node_modules/needed': { version: '1.0.0' } } };
    await writeFile(join(folder, 'node_modules/.package-lock.json'), JSON.stringify(notes));
    expect((await run('you')).out).toBe('hello you\n');
    expect(await calls()).toBe(0);
  });

  it('installs once when two start at the same time', async () => {
    const both = await Promise.all([run('one'), run('two')]);
    expect(both.map(({ out }) => out)).toEqual(['hello one\n', 'hello two\n']);
    expect(await calls()).toBe(1);
  });

  it('ends with one line of its own when npm fails', async () => {
    await writeNpm('#!/bin/sh\nexit 1\n');
    const { code, out, err } = await run('you');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err.trim().split('\n').at(-1)).toBe('npm install failed; what it said is above');
    // Nobody is kept waiting by the one that failed.
    await writeNpm(npm);
    expect((await run('you')).out).toBe('hello you\n');
  });

  it('passes the exit code of the script on', async () => {
    await writeFile(join(folder, 'hello.ts'), 'process.exitCode = 7;\n');
    expect((await run('you')).code).toBe(7);
  });
});
