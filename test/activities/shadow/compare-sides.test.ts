import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { compareSides } from '../../../activities/shadow/compare-sides.ts';
import type { ShadowStage } from '../../../contracts/plan.ts';
import type { ShadowFacts } from '../../../contracts/shadow.ts';
import { freePort } from '../../../tools/ports.ts';
import { shadowPlan } from '../../support/release-plans.ts';

type Respond = (request: IncomingMessage, response: ServerResponse, body: string) => void;
interface Side {
  readonly address: string;
  /** What was asked, in order. */
  readonly asked: { readonly method: string; readonly url: string; readonly body: string; readonly of: unknown }[];
  readonly close: () => void;
}

const sides: Side[] = [];
afterEach(() => {
  for (const { close } of sides.splice(0)) close();
});

/** A server of one side. */
async function side(respond: Respond): Promise<Side> {
  const asked: Side['asked'] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method = '', url = '', headers } = request;
      asked.push({ method, url, body, of: headers['x-lakeshift-shadow'] });
      respond(request, response, body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on a port
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  sides.push({ address: `http://127.0.0.1:${port}`, asked, close });
  return sides.at(-1) ?? { address: '', asked, close };
}

const json =
  (value: (request: IncomingMessage) => unknown, status = 200): Respond =>
  (request, response) => {
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
    response.end(JSON.stringify(value(request)));
  };

const planned = shadowPlan('lakeshift').stages.find((stage): stage is ShadowStage => stage.kind === 'shadow');
if (planned === undefined) throw new Error('a shadow without its stage');
const base: ShadowStage = { ...planned, perSecond: 1_000, timeoutMs: 2_000 };

const slice = (
  stage: Partial<ShadowStage>,
  wanted = 20,
  next = 0,
  env = new MockActivityEnvironment({}, quiet),
): Promise<ShadowFacts> =>
  env.run(() =>
    compareSides(
      () => {
        throw new Error('there is no cluster here');
      },
      { deployment: 'scoring-7', target: 'k8s', stage: { ...base, ...stage }, next, wanted },
    ),
  );
const quiet = { logger: new DefaultLogger('ERROR') };
const list = (...paths: string[]): Pick<ShadowStage, 'source'> => ({
  source: { by: 'list', requests: paths.map((path) => ({ method: 'GET', path })) },
});

describe('a slice of a shadow', () => {
  test('asks both sides the same, through the batch and from its begin again', async () => {
    const [stable, candidate] = [await side(json(({ url }) => ({ url }))), await side(json(({ url }) => ({ url })))];
    const facts = await slice(
      { ...list('/a', '/b', '/c'), sides: { stable: stable.address, candidate: candidate.address } },
      10,
      1,
    );
    expect(facts).toMatchObject({ compared: 10, agreed: 10, silent: 0, differs: {}, noise: {}, requests: 3, next: 2 });
    const urls = (one: Side) => one.asked.map(({ url }) => url).sort();
    expect(urls(candidate)).toEqual(urls(stable));
    expect(urls(stable)).toEqual(['/a', '/a', '/a', '/b', '/b', '/b', '/b', '/c', '/c', '/c']);
    expect(stable.asked[0]?.of).toBe('scoring-7');
    const { latency } = facts;
    expect(latency.stable.reduce((sum, count) => sum + count, 0)).toBe(10);
  });

  test('sends body and headers, and counts by pointer in what answers differ', async () => {
    const stable = await side(json(() => ({ score: 1, id: 'a' })));
    const candidate = await side(json(() => ({ score: 2, id: 'b' })));
    const request = {
      method: 'POST',
      path: '/score',
      headers: { 'content-type': 'application/json' },
      body: '{"a":1}',
    };
    const facts = await slice({
      source: { by: 'list', requests: [request] },
      compare: { ignore: ['/id'], tolerance: [], maps: [] },
      sides: { stable: stable.address, candidate: candidate.address },
    });
    expect(facts).toMatchObject({ compared: 20, agreed: 0, differs: { '/score': 20 } });
    expect(candidate.asked[0]).toMatchObject({ method: 'POST', url: '/score', body: '{"a":1}' });
  });

  test('learns nothing where the stable side fails, and holds it against the candidate when that does', async () => {
    const good = await side(json(() => ({})));
    const bad = await side(json(() => ({}), 503));
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const asked = (stable: string, candidate: string) => slice({ sides: { stable, candidate } });
    expect(await asked(bad.address, good.address)).toMatchObject({ compared: 0, silent: 20 });
    expect(await asked(nobody, good.address)).toMatchObject({ compared: 0, silent: 20 });
    expect(await asked(good.address, bad.address)).toMatchObject({ compared: 20, agreed: 0, differs: { status: 20 } });
    const refused = await asked(good.address, nobody);
    expect(refused).toMatchObject({ agreed: 0, differs: { 'no answer': 20 } });
    expect(Math.max(...refused.latency.candidate)).toBe(0);
  });

  test('takes an answer that comes too late for none', async () => {
    const good = await side(json(() => ({})));
    const late = await side((_, response) => void setTimeout(() => response.end(), 3_000).unref());
    const facts = await slice({ sides: { stable: good.address, candidate: late.address }, timeoutMs: 100 }, 4);
    expect(facts).toMatchObject({ compared: 4, agreed: 0, differs: { 'no answer': 4 } });
  });

  test('asked twice, the stable side is forgiven what it differs in from itself, and nothing else', async () => {
    let n = 0;
    const stable = await side(json(() => ({ at: n++, score: 1 })));
    const candidate = await side(json(() => ({ at: n++, score: 2 })));
    const asked = (noise: boolean) => slice({ noise, sides: { stable: stable.address, candidate: candidate.address } });
    expect(await asked(true)).toMatchObject({ agreed: 0, differs: { '/score': 20 }, noise: { '/at': 20 } });
    expect(await asked(false)).toMatchObject({ agreed: 0, differs: { '/score': 20, '/at': 20 }, noise: {} });
  });

  test('keeps to its rate, and ends with its time', async () => {
    const [stable, candidate] = [await side(json(() => ({}))), await side(json(() => ({})))];
    const from = Date.now();
    const facts = await slice(
      { perSecond: 20, sliceMs: 1_000, sides: { stable: stable.address, candidate: candidate.address } },
      1_000,
    );
    expect(Date.now() - from).toBeGreaterThanOrEqual(900);
    expect(facts.compared).toBeLessThanOrEqual(20 + 16);
    expect(stable.asked.length).toBe(facts.compared);
  });

  test('that is cut off asks nobody any more', async () => {
    const [stable, candidate] = [await side(json(() => ({}))), await side(json(() => ({})))];
    const env = new MockActivityEnvironment({}, quiet);
    const running = slice(
      { perSecond: 50, sides: { stable: stable.address, candidate: candidate.address } },
      10_000,
      0,
      env,
    );
    while (candidate.asked.length < 5) await new Promise((resolve) => setTimeout(resolve, 10));
    env.cancel();
    await expect(running).rejects.toMatchObject({ name: 'CancelledFailure' });
    // what was under way has been cut; from here on there is nothing new
    await new Promise((resolve) => setTimeout(resolve, 100));
    const before = candidate.asked.length;
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(candidate.asked.length).toBe(before);
  });
});
