import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identify, isRunning } from '../../tools/processes/identity.ts';
import { endOwn, remember, sweep } from '../../tools/processes/records.ts';
import { politely } from '../../tools/processes/stop.ts';

describe('the records of processes', () => {
  let folder: string;
  const started: ChildProcess[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lakeshift-records-'));
  });
  afterEach(async () => {
    for (const child of started.splice(0)) child.kill('SIGKILL');
    await rm(folder, { recursive: true });
  });

  async function sleeper(): Promise<number> {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await once(child, 'spawn');
    started.push(child);
    return child.pid ?? Number.NaN;
  }

  /** As if somebody else had written the record. */
  async function change(field: 'owner' | 'process', value: unknown): Promise<void> {
    for (const name of await readdir(folder)) {
      const file = join(folder, name);
      const record: unknown = JSON.parse(await readFile(file, 'utf8'));
      await writeFile(file, JSON.stringify({ ...Object(record), [field]: value }));
    }
  }

  const gone = { pid: 4_000_000, startedAt: 'never' };

  it('let the next start end what an owner who is gone has left behind', async () => {
    const pid = await sleeper();
    await remember(folder, 'Temporal', pid, politely);
    await change('owner', gone);
    expect(await sweep(folder)).toEqual(['Temporal']);
    expect(await identify(pid)).toBeNull();
    expect(await readdir(folder)).toEqual([]);
  });

  it('leave alone what an owner who is still there looks after', async () => {
    const pid = await sleeper();
    await remember(folder, 'Temporal', pid, politely);
    expect(await sweep(folder)).toEqual([]);
    expect(await identify(pid)).not.toBeNull();
    expect(await readdir(folder)).toHaveLength(1);
  });

  it('never end a process that has only got the pid of one of ours', async () => {
    const pid = await sleeper();
    await remember(folder, 'Temporal', pid, politely);
    await change('owner', gone);
    await change('process', { pid, startedAt: 'at another time' });
    expect(await sweep(folder)).toEqual([]);
    expect(await identify(pid)).not.toBeNull();
    expect(await readdir(folder)).toEqual([]);
  });

  it('let us end all that is ours', async () => {
    const [first, second, bystander] = await Promise.all([sleeper(), sleeper(), sleeper()]);
    await remember(folder, 'worker', first, politely);
    await remember(folder, 'API', second, politely);
    await endOwn(folder, 'at-once');
    expect([await identify(first), await identify(second)]).toEqual([null, null]);
    expect(await identify(bystander)).not.toBeNull();
  });

  it('are removed when the process has ended by itself', async () => {
    const forget = await remember(folder, 'worker', await sleeper(), politely);
    await forget();
    expect(await readdir(folder)).toEqual([]);
  });

  it('know a process by its pid and the time of its start', async () => {
    const self = await identify(process.pid);
    expect(self === null || (await isRunning(self))).toBe(true);
    expect(await isRunning({ pid: process.pid, startedAt: 'at another time' })).toBe(false);
  });
});
