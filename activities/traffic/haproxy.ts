import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { HaproxyRoute, RouteState } from '../../contracts/route.ts';
import { failure } from '../failures.ts';
import type { Router, RouterConnection, RouterContext } from './router.ts';
import { percentOf } from './weighted-rules.ts';

/** How long the runtime API may take, ms. */
const patienceMs = 5_000;

/**
 * Weights of two servers by HAProxy's runtime API (docs.haproxy.org, management guide, 9.3). They last until HAProxy is
 * started anew: then the next look sets them again.
 */
export const haproxy: Router<HaproxyRoute> = {
  async look(context, route) {
    return { object: null, state: await stateOf(context, route), ownedBy: null, holder: null, nearby: [] };
  },
  read: stateOf,
  async write(context, _, route, weight) {
    const at = addressOf(context, route);
    // the side that gets more comes first: at no moment has neither any share
    const sides = [
      [route.candidate, weight],
      [route.stable, 100 - weight],
    ] as const;
    for (const [server, share] of sides.toSorted(([, a], [, b]) => b - a)) {
      const answer = await ask(at, `set weight ${route.backend}/${server} ${share}`);
      if (answer !== '') throw refused(route, server, answer);
    }
  },
};

async function stateOf(context: RouterContext, route: HaproxyRoute): Promise<RouteState> {
  const at = addressOf(context, route);
  const weights: number[] = [];
  for (const server of [route.stable, route.candidate]) {
    const answer = await ask(at, `get weight ${route.backend}/${server}`);
    const found = /^(\d+) \(initial \d+\)$/.exec(answer)?.[1];
    if (found === undefined) throw refused(route, server, answer);
    weights.push(Number(found));
  }
  return (
    oddityIn(await ask(at, `show stat ${route.backend} 4 -1`), route) ?? percentOf(weights[0] ?? 0, weights[1] ?? 0)
  );
}

/** A server as HAProxy's statistics show it: values by the names of their columns. */
type Statistics = ReadonlyMap<string | undefined, string>;

/** What makes the two weights say nothing of the traffic; null: nothing does. */
function oddityIn(statistics: string, route: HaproxyRoute): RouteState | null {
  const [head = '', ...lines] = statistics.split('\n');
  const columns = head.replace(/^# /, '').split(',');
  const servers = lines.map((line): Statistics => new Map(line.split(',').map((value, at) => [columns[at], value])));
  const because = servers
    .filter((server) => Number(server.get('weight')) > 0)
    .map((server) => oddityOf(server, route))
    .find((words) => words !== null);
  return because === undefined ? null : { weight: null, because };
}

function oddityOf(server: Statistics, { stable, candidate }: HaproxyRoute): string | null {
  const [name = '', status = ''] = [server.get('svname'), server.get('status')];
  const isOut = /^(MAINT|DRAIN)/.test(status);
  if ([stable, candidate].includes(name)) return isOut ? `server ${name} is in ${status}` : null;
  return isOut || server.get('bck') !== '0' ? null : `server ${name} takes requests besides the two sides`;
}

function addressOf({ router }: RouterContext, route: HaproxyRoute): string {
  const connection: RouterConnection = router(route.router);
  if (connection.kind !== 'haproxy') throw failure('TARGET_UNKNOWN', `router ${route.router} is not HAProxy`);
  return connection.address;
}

const refused = ({ router, backend }: HaproxyRoute, server: string, answer: string) =>
  /no such (backend|server)|require 'backend\/server'/i.test(answer)
    ? failure('TARGET_DRIFTED', `router ${router} knows no server ${backend}/${server}`)
    : failure('TARGET_BUSY', `router ${router} does not take a weight for ${backend}/${server}`);

/** One command, one connection; the answer without the empty line that ends it. */
async function ask(address: string, command: string): Promise<string> {
  const [, host, port] = /^(.+):(\d+)$/.exec(address) ?? [];
  const socket = host === undefined ? connect(address) : connect(Number(port), host);
  socket.setTimeout(patienceMs, () => socket.destroy(new Error('no answer')));
  try {
    socket.end(`${command}\n`);
    return (await text(socket)).trim();
  } catch {
    throw failure('TARGET_UNREACHABLE', 'the runtime API of HAProxy does not answer');
  } finally {
    socket.destroy();
  }
}
