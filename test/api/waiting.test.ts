import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { DeploymentView } from '../../contracts/api.ts';
import { createWatch } from '../../api/watch.ts';
import { deploymentOf, type Told } from './support/deployment.ts';
import { by, startService, tokens, type Service } from './support/service.ts';

let service: Service;
let address: string;
let count = 0;
beforeAll(async () => {
  service = await startService();
  address = await service.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => service.close());

const underway = async (): Promise<Told> => {
  count += 1;
  const told = deploymentOf(service.writer, `waiting-${count.toString(16).padStart(8, '0')}`);
  await told.tell({ seq: 1, kind: 'started' });
  return told;
};

describe('a long-poll', () => {
  const wait = (id: string, query: string) =>
    service.app.inject(by('viewer', { url: `/v1/deployments/${id}?wait=10s&${query}` }));

  test('answers as soon as something happens', async () => {
    const told = await underway();
    const answer = wait(told.id, 'for=change');
    await told.tell({ seq: 2, kind: 'stage-began' }, { phase: 'expanding' });
    const view = (await answer).json<DeploymentView>();
    expect(view.status.phase).toBe('expanding');
    expect(view.seq).toBe(2);
  });

  test('answers at once when something has happened that the caller does not know', async () => {
    const told = await underway();
    const before = Date.now();
    expect((await wait(told.id, 'for=change&after=0')).json<DeploymentView>().seq).toBe(1);
    expect(Date.now() - before).toBeLessThan(5_000);
  });

  test('waits for one of several phases, past others', async () => {
    const told = await underway();
    const answer = wait(told.id, 'for=in-grace&for=needs-attention');
    await told.tell({ seq: 2, kind: 'stage-began' }, { phase: 'expanding' });
    await told.tell({ seq: 3, kind: 'stage-began' }, { phase: 'in-grace' });
    expect((await answer).json<DeploymentView>().status.phase).toBe('in-grace');
  });

  test('does not wait for what will never come', async () => {
    const told = await underway();
    const answer = wait(told.id, 'for=in-grace');
    await told.tell({ seq: 2, kind: 'ended' }, { phase: 'refused' });
    expect((await answer).json<DeploymentView>().status.phase).toBe('refused');
    expect((await wait(told.id, 'for=in-grace')).json<DeploymentView>().status.phase).toBe('refused');
  });

  test('answers with what there is when the time is over', async () => {
    const told = await underway();
    const before = Date.now();
    const answer = await service.app.inject(by('viewer', { url: `/v1/deployments/${told.id}?wait=300ms` }));
    expect(answer.statusCode).toBe(200);
    expect(Date.now() - before).toBeGreaterThanOrEqual(290);
  });

  test('is not woken by live progress, and shows it', async () => {
    const told = await underway();
    await told.live(10, 1);
    const answer = wait(told.id, 'for=change');
    await told.live(20, 2);
    await told.tell({ seq: 2, kind: 'reading' });
    expect((await answer).json<DeploymentView>()).toMatchObject({ seq: 2, live: { rows: 20, rate: 10.5 } });
  });

  test.each(['2m', 'soon', '-1s', '61s'])('of %s is refused', async (duration) => {
    const answer = await service.app.inject(by('viewer', { url: `/v1/deployments/x-00000000?wait=${duration}` }));
    expect([404, 422]).toContain(answer.statusCode);
  });
});

/** Reads a stream until it ends, or until `enough`. */
async function read(
  id: string,
  { after, enough = () => false }: { after?: number; enough?: (messages: EventSourceMessage[]) => boolean } = {},
): Promise<{ status: number; messages: EventSourceMessage[] }> {
  const messages: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => messages.push(message) });
  const answer = await fetch(`${address}/v1/deployments/${id}/events`, {
    headers: {
      authorization: `Bearer ${tokens.viewer}`,
      ...(after === undefined ? {} : { 'last-event-id': String(after) }),
    },
  });
  const decoder = new TextDecoder();
  for await (const chunk of answer.body ?? []) {
    parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
    // Leaving the loop closes the connection.
    if (enough(messages)) break;
  }
  return { status: answer.status, messages };
}

const ids = (messages: readonly EventSourceMessage[]) =>
  messages.filter(({ event }) => event !== 'progress').map(({ id }) => Number(id));

describe('the stream of events', () => {
  test('tells what was, then what comes, and ends with the deployment', async () => {
    const told = await underway();
    await told.tell({ seq: 2, kind: 'stage-began' });
    const stream = read(told.id);
    await told.tell({ seq: 3, kind: 'stage-ended' });
    await told.tell({ seq: 4, kind: 'ended' }, { phase: 'deployed' });
    const { messages } = await stream;
    expect(messages.map(({ id, event }) => [id, event])).toEqual([
      ['1', 'started'],
      ['2', 'stage-began'],
      ['3', 'stage-ended'],
      ['4', 'ended'],
    ]);
    expect(JSON.parse(messages[1]?.data ?? '')).toMatchObject({ seq: 2, kind: 'stage-began', text: 'event 2' });
  });

  test('loses and repeats nothing however often it breaks off', async () => {
    const told = await underway();
    const writing = (async () => {
      for (let seq = 2; seq <= 300; seq += 1) await told.tell({ seq, kind: 'reading' });
      await told.tell({ seq: 301, kind: 'ended' }, { phase: 'deployed' });
    })();
    const seen: number[] = [];
    while (seen.at(-1) !== 301) {
      const part = 1 + (seen.length % 40);
      const { messages } = await read(told.id, {
        ...(seen.length === 0 ? {} : { after: seen.at(-1) ?? 0 }),
        enough: (some) => some.length >= part,
      });
      // A client counts what it has read when the connection broke.
      seen.push(...ids(messages));
    }
    await writing;
    expect(seen).toEqual(Array.from({ length: 301 }, (_, i) => i + 1));
  });

  test('waits for an event that is late instead of passing it over', async () => {
    const told = await underway();
    const stream = read(told.id, { enough: (some) => some.length === 3 });
    await told.tell({ seq: 3, kind: 'reading' });
    await told.tell({ seq: 2, kind: 'reading' });
    expect(ids((await stream).messages)).toEqual([1, 2, 3]);
  });

  test('puts live progress in between, without an id', async () => {
    const told = await underway();
    await told.live(64, 5_000);
    const { messages } = await read(told.id, { enough: (some) => some.length === 2 });
    expect(messages[1]).toMatchObject({ event: 'progress', id: undefined });
    expect(JSON.parse(messages[1]?.data ?? '')).toMatchObject({ rows: 64, pace: 'full speed' });
  });

  test('has nothing more to say to a client that has everything', async () => {
    const told = await underway();
    await told.tell({ seq: 2, kind: 'ended' }, { phase: 'deployed' });
    expect((await read(told.id, { after: 2 })).status).toBe(204);
    expect(ids((await read(told.id, { after: 1 })).messages)).toEqual([2]);
  });

  test('can be asked for by name and by query', async () => {
    const told = await underway();
    await told.tell({ seq: 2, kind: 'ended' }, { phase: 'deployed', startedAt: 9_000_000_000_000 });
    const answer = await service.app.inject(by('viewer', { url: `/v1/deployments/${told.id}/events?after=1` }));
    expect(answer.headers['content-type']).toContain('text/event-stream');
    expect(answer.body).toMatch(/^retry: 1000\n\nid: 2\nevent: ended\n/);
  });
});

test('a service that stops lets everybody go who waits', async () => {
  const own = await startService();
  const told = deploymentOf(own.writer, 'stopping-00000001');
  await told.tell({ seq: 1, kind: 'started' });
  await own.app.listen({ host: '127.0.0.1', port: 0 });
  const waiting = own.app.inject(by('viewer', { url: `/v1/deployments/${told.id}?wait=60s` }));
  const streaming = own.app.inject(by('viewer', { url: `/v1/deployments/${told.id}/events` }));
  await new Promise((resolve) => setImmediate(resolve));
  const before = Date.now();
  await own.close();
  await Promise.all([waiting, streaming]);
  expect(Date.now() - before).toBeLessThan(5_000);
});

test('the last word of a stage that is over is not told any more', async () => {
  const told = await underway();
  await told.live(1_000, 1);
  const show = async () =>
    (await service.app.inject(by('viewer', { url: `/v1/deployments/${told.id}` }))).json<DeploymentView>().live;
  expect(await show()).toMatchObject({ rows: 1_000 });
  await told.tell({ seq: 2, kind: 'stage-began' }, { stage: 'grace', phase: 'in-grace' });
  expect(await show()).toBeNull();
});

test('whoever waits for what does not change costs one look at a time', async () => {
  let looks = 0;
  const pulses = (ids: readonly string[]) => {
    looks += 1;
    return Promise.resolve(ids.map((id) => ({ id, seq: 1, liveAt: null })));
  };
  const watch = createWatch({ pulses }, 10);
  const signal = new AbortController().signal;
  const wait = (i: number) => watch.changed(`d${i}`, { seq: 1, liveAt: null }, 100, signal);
  await Promise.all(Array.from({ length: 50 }, (_, i) => wait(i)));
  expect(looks).toBeGreaterThan(0);
  expect(looks).toBeLessThanOrEqual(11);
});
