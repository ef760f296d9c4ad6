import { createServer, type AddressInfo, type Server } from 'node:net';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Probe } from '../../../contracts/gate.ts';
import type { DependencyLook, WatchFacts, WatchInput } from '../../../contracts/activities.ts';
import { probeSide } from '../../../activities/traffic/probe-side.ts';
import { watchTraffic } from '../../../activities/traffic/watch-traffic.ts';
import { freePort } from '../../../tools/ports.ts';

/** Something that takes connections, and counts them. */
async function listening(): Promise<{ server: Server; port: number; count: () => number }> {
  let count = 0;
  const server = createServer((socket) => {
    count += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port, count: () => count }; // it listens on a port
}
const probe = (asked: Probe): Promise<string | null> =>
  probeSide(asked, () => {
    throw new Error('there is no cluster here');
  });
const look = (port: number, wishes: Partial<DependencyLook> = {}): DependencyLook => ({
  name: 'db',
  probe: { by: 'tcp', address: `127.0.0.1:${port}`, timeoutMs: 1_000 },
  waitMs: 0,
  everyMs: 50,
  isWell: true,
  ...wishes,
});
const route = { weight: 5, because: '5 % on the candidate' };
const sources = {
  readyPods: () => Promise.resolve(1),
  read: () => Promise.resolve(route),
  model: () => Promise.reject(new Error('there is no model here')),
  metrics: () => null,
  probe,
};
const watch = async (input: Partial<WatchInput>, environment = new MockActivityEnvironment()): Promise<WatchFacts> =>
  environment.run(watchTraffic, sources, {
    target: 'k8s',
    route: { via: 'flag', namespace: 'a', name: 'b', key: 'c', flag: 'd', stable: 'off', candidate: 'on' },
    gate: null,
    since: 0,
    waitMs: 500,
    weight: 5,
    ...input,
  } satisfies WatchInput);

test('what is well is looked at again and again, and told of once', async () => {
  const { server, port, count } = await listening();
  const facts = await watch({ dependencies: [look(port)] });
  server.close();
  expect(count()).toBeGreaterThan(3);
  expect(facts).toMatchObject({ route, blindBecause: null });
  expect(facts.answers).toEqual([{ name: 'db', good: count(), fault: null, agoMs: expect.any(Number) as number }]);
});

test('a bad answer ends the waiting at once, and what is not due then is not looked at', async () => {
  const { server, port } = await listening();
  const dependencies = [look(await freePort()), look(port, { name: 'later', waitMs: 60_000 })];
  const from = Date.now();
  const facts = await watch({ waitMs: 120_000, dependencies });
  server.close();
  expect(Date.now() - from).toBeLessThan(30_000);
  expect(facts.answers).toMatchObject([{ name: 'db', good: 0, fault: 'no connection' }]);
});

test('a good answer of what was away ends it too', async () => {
  const { server, port } = await listening();
  const facts = await watch({ waitMs: 120_000, dependencies: [look(port, { isWell: false })] });
  server.close();
  expect(facts.answers).toMatchObject([{ name: 'db', good: 1, fault: null }]);
});

test.each([
  ['that is due at the end of the waiting is looked at', 100, 1],
  ['that is due only after it is not', 101, 0],
])('what is well and %s', async (_, waitMs, expected) => {
  const { server, port } = await listening();
  const facts = await watch({ waitMs: 100, dependencies: [look(port, { waitMs, everyMs: 60_000 })] });
  server.close();
  expect(facts.answers).toHaveLength(expected);
});

test('an activity that is cancelled asks nobody any more', async () => {
  const { server, port, count } = await listening();
  const environment = new MockActivityEnvironment();
  const watched = watch({ waitMs: 120_000, dependencies: [look(port)] }, environment);
  while (count() < 3) await new Promise((resolve) => setTimeout(resolve, 10));
  environment.cancel();
  await expect(watched).rejects.toMatchObject({ name: 'CancelledFailure' });
  // one may have been under way
  await new Promise((resolve) => setTimeout(resolve, 100));
  const asked = count();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(count()).toBe(asked);
  server.close();
});

test('without dependencies it says nothing of any', async () => {
  expect(await watch({ waitMs: 0 })).toEqual({ route, windows: [], blindBecause: null });
});
