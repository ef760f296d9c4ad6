import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isProgram } from '../../tools/go.ts';
import { makeOnce } from '../../tools/make-once.ts';
import { until } from '../support/until.ts';

describe('making something for the cache', () => {
  let folder: string;
  let made: number;
  let said: string[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lakeshift-make-'));
    made = 0;
    said = [];
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const to = (): string => join(folder, 'thing-1.0');
  const makeThing = (signal?: AbortSignal): Promise<string> =>
    makeOnce({
      to: to(),
      find: async () => ((await isProgram(to())) ? to() : null),
      make: async () => {
        made += 1;
        await mkdir(to());
        return to();
      },
      say: (line) => said.push(line),
      signal,
    });
  /** Another process, as far as anybody can see busy with the same. */
  const other = async (): Promise<ChildProcess & { readonly pid: number }> => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await once(child, 'spawn');
    await mkdir(`${to()}.${child.pid}`);
    // file systems tell moments apart that are some milliseconds apart
    await sleep(50);
    return child as ChildProcess & { readonly pid: number }; // it has been spawned
  };
  const ended = async (child: ChildProcess): Promise<void> => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };

  test('happens once, and leaves nothing half-made behind', async () => {
    expect(await makeThing()).toBe(to());
    expect(await makeThing()).toBe(to());
    expect(made).toBe(1);
    expect(await readdir(folder)).toEqual(['thing-1.0']);
  });

  test('waits for a process that began before, says so once, and takes what that one has made', async () => {
    const child = await other();
    const making = makeThing();
    await until('word of the other one', () => Promise.resolve(said[0] ?? null));
    await mkdir(to());
    await ended(child);
    expect(await making).toBe(to());
    expect(made).toBe(0);
    expect(said).toEqual([`process ${child.pid} makes thing-1.0; waiting for it`]);
    expect(await readdir(folder)).toEqual(['thing-1.0']);
  });

  test('goes on where that one has died without making it', async () => {
    const child = await other();
    const making = makeThing();
    await until('word of the other one', () => Promise.resolve(said[0] ?? null));
    await ended(child);
    expect(await making).toBe(to());
    expect(made).toBe(1);
    expect(await readdir(folder)).toEqual(['thing-1.0']);
  });

  test('is ended while it waits', async () => {
    const child = await other();
    const ending = new AbortController();
    const making = makeThing(ending.signal);
    await until('word of the other one', () => Promise.resolve(said[0] ?? null));
    ending.abort();
    await expect(making).rejects.toThrow(/abort/i);
    await ended(child);
    expect(made).toBe(0);
    expect(await readdir(folder)).toEqual([`thing-1.0.${child.pid}`]);
  });

  test('leaves what has a like name alone', async () => {
    await mkdir(join(folder, 'thing-1.0.backup'));
    await makeThing();
    expect(await readdir(folder)).toEqual(['thing-1.0', 'thing-1.0.backup']);
  });
});
