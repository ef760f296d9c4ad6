import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { NginxRoute, RouteState } from '../../contracts/route.ts';
import { failure } from '../failures.ts';
import type { Router, RouterConnection, RouterContext } from './router.ts';
import { percentOf } from './weighted-rules.ts';

const run = promisify(execFile);
/** How long NGINX may take to read its configuration anew, ms. */
const patienceMs = 30_000;
/** Stands in the file until NGINX has read it: a worker that dies in between leaves no weight that nobody uses. */
const untaken = '# not read by NGINX yet';

/**
 * Weights of two servers in a file that NGINX includes in an upstream. The file is replaced at once, and NGINX reads it
 * anew: workers of before end with their requests, and cut idle connections.
 */
export const nginx: Router<NginxRoute> = {
  async look(context, route) {
    return { object: null, state: await stateOf(context, route), ownedBy: null, holder: null, nearby: [] };
  },
  read: stateOf,
  async write(context, _, route, weight) {
    const { file, reload } = connectionOf(context, route);
    const before = await linesOf(file);
    for (const server of [route.stable, route.candidate]) lineOf(before, server, route);
    const share = new Map([
      [route.stable, 100 - weight],
      [route.candidate, weight],
    ]);
    const after = before.filter((line) => line !== untaken).map((line) => withWeight(line, share));
    await replace(file, [untaken, ...after].join('\n'));
    await reloaded(reload, route.router);
    await replace(file, after.join('\n'));
  },
};

async function stateOf(context: RouterContext, route: NginxRoute): Promise<RouteState> {
  const lines = await linesOf(connectionOf(context, route).file);
  if (lines.includes(untaken)) return { weight: null, because: 'the file was written, and NGINX has not read it' };
  const other = lines.find((line) => isOther(line, route));
  if (other !== undefined)
    return { weight: null, because: `server ${serverIn(other) ?? ''} takes requests besides the two sides` };
  return percentOf(weightOf(lineOf(lines, route.stable, route)), weightOf(lineOf(lines, route.candidate, route)));
}

function connectionOf({ router }: RouterContext, route: NginxRoute): Extract<RouterConnection, { kind: 'nginx' }> {
  const connection = router(route.router);
  if (connection.kind !== 'nginx') throw failure('TARGET_UNKNOWN', `router ${route.router} is not NGINX`);
  return connection;
}

async function linesOf(file: string): Promise<readonly string[]> {
  const content = await readFile(file, 'utf8').catch(() => null);
  if (content === null) throw failure('TARGET_UNREACHABLE', 'the file of servers of NGINX can not be read');
  return content.split('\n');
}

const serverIn = (line: string): string | null => /^\s*server\s+([^\s;]+)/.exec(line)?.[1] ?? null;

const isOther = (line: string, { stable, candidate }: NginxRoute): boolean => {
  const server = serverIn(line);
  return server !== null && ![stable, candidate].includes(server) && weightOf(line) > 0 && !/\sbackup\b/.test(line);
};

function lineOf(lines: readonly string[], server: string, { router }: NginxRoute): string {
  const line = lines.find((candidate) => serverIn(candidate) === server);
  if (line === undefined) throw failure('TARGET_DRIFTED', `the file of router ${router} knows no server ${server}`);
  return line;
}

const weightOf = (line: string): number => {
  if (/\sdown\b/.test(line)) return 0;
  return Number(/\sweight=(\d+)/.exec(line)?.[1] ?? 1);
};

/** NGINX has no weight 0: such a server is `down`. */
function withWeight(line: string, share: ReadonlyMap<string, number>): string {
  const weight = share.get(serverIn(line) ?? '');
  if (weight === undefined) return line;
  const rest = line.replace(/\s+(weight=\d+|down)(?=[\s;])/g, '');
  return rest.replace(/\s*;/, weight === 0 ? ' down;' : ` weight=${weight};`);
}

/** At once; a link stays a link, and who may read the file may read it still. */
async function replace(link: string, content: string): Promise<void> {
  const file = await realpath(link).catch(() => link);
  const beside = `${file}.${randomUUID()}`;
  try {
    const { mode } = await stat(file);
    await writeFile(beside, content, { mode });
    // what the process masks is given back
    await chmod(beside, mode);
    await rename(beside, file);
  } catch {
    await rm(beside, { force: true }).catch(() => undefined);
    throw failure('TARGET_UNREACHABLE', 'the file of servers of NGINX can not be written');
  }
}

async function reloaded([program = '', ...args]: readonly string[], router: string): Promise<void> {
  try {
    await run(program, args, { timeout: patienceMs });
  } catch {
    throw failure('TARGET_BUSY', `router ${router} has not read its file anew: its reload command failed`);
  }
}
