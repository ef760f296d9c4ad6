import { readdir, readFile } from 'node:fs/promises';

/** What a server's client sessions have used since it started, in CPU seconds. Linux only: reads /proc. */
export async function serverCpuSeconds(postmaster: number): Promise<number> {
  const own = await timesOf(postmaster);
  // sessions that have ended are in the postmaster's account of its children
  let ticks = own.children;
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const times = await timesOf(Number(entry)).catch(() => null);
    if (times?.parent === postmaster && !(await isBackground(entry))) ticks += times.own + times.children;
  }
  return ticks / 100;
}

interface Times {
  readonly parent: number;
  readonly own: number;
  readonly children: number;
}

async function timesOf(pid: number): Promise<Times> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const field = (index: number): number => fields[index] ?? 0;
  return { parent: field(1), own: field(11) + field(12), children: field(13) + field(14) };
}

const background = /checkpointer|background writer|walwriter|autovacuum|logical replication|io worker/;

async function isBackground(pid: string): Promise<boolean> {
  return background.test(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
}
