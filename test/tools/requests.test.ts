import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { sendRequests } from '../support/data-planes/requests.ts';

describe('sendRequests', () => {
  let server: Server;
  let url: string;
  let asked: number;
  /** What the n-th request gets: a version, a status, or no answer at all. */
  let behave: (n: number) => string | number | null;
  beforeEach(async () => {
    asked = 0;
    behave = () => 'v1';
    server = createServer((request, response) => {
      asked += 1;
      const how = behave(asked);
      if (how === null) request.socket.destroy();
      else if (typeof how === 'number') response.writeHead(how).end('no');
      else response.end(JSON.stringify({ version: how, pod: 'p' }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  });
  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  it('sends as many as wanted, and tells answers, failures and losses apart', async () => {
    const began = Date.now();
    behave = (n) => (n % 10 === 0 ? 503 : n % 10 === 5 ? null : n % 10 < 5 ? 'v1' : 'v2');
    const requests = await sendRequests({ url, connections: 4, perSecond: 10_000, total: 500 });
    await requests.done;
    const { trouble, ...counts } = await requests.stop();
    await requests.end();
    expect(counts).toEqual({
      sent: 500,
      answered: 400,
      failed: { 503: 50 },
      lost: 50,
      lostBecause: { UND_ERR_SOCKET: 50 },
      byVersion: { v1: 200, v2: 200 },
      underWay: 0,
    });
    expect(trouble?.first).toBeGreaterThanOrEqual(began);
    expect(trouble?.last).toBeLessThanOrEqual(Date.now());
    // nothing was tried twice
    expect(asked).toBe(500);
  });

  it('goes on until it is told to stop, no faster than it may, and knows what was answered when', async () => {
    const began = Date.now();
    const requests = await sendRequests({ url, connections: 4, perSecond: 200 });
    await sleep(500);
    const old = asked;
    behave = () => 'v2';
    const turned = Date.now();
    await sleep(500);
    const { sent, answered } = await requests.stop();
    const took = Date.now() - began;
    const [before, after, all] = [
      await requests.between(began, turned),
      // one of the same ms may have been answered before
      await requests.between(turned + 1, Date.now()),
      await requests.between(0, Infinity),
    ];
    await requests.end();
    expect([sent, sent]).toEqual([answered, asked]);
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThanOrEqual(0.2 * took + 20);
    expect(before.byVersion['v1']).toBeGreaterThan(0);
    expect(Object.keys(after.byVersion)).toEqual(['v2']);
    expect(all).toEqual({ total: sent, byVersion: { v1: old, v2: sent - old } });
  });

  it('takes a server that is away for requests that are lost', async () => {
    server.close();
    const requests = await sendRequests({ url, connections: 4, perSecond: 1_000, total: 50 });
    await requests.done;
    const { lost, lostBecause } = await requests.stop();
    await requests.end();
    expect([lost, lostBecause]).toEqual([50, { ECONNREFUSED: 50 }]);
  });
});
