import { KindWatch, silentMs, type KindSource, type WatchEvent } from '../../../activities/kubernetes/kind-watch.ts';
import type { FoundObject } from '../../../activities/kubernetes/objects.ts';

const objectOf = (name: string, resourceVersion: string): FoundObject => ({ metadata: { name, resourceVersion } });
const event = (type: string, name: string, version: string): WatchEvent => ({ type, object: objectOf(name, version) });

type Ears = Parameters<KindSource['watch']>[1];

/** An API server in memory, its clock, and what it was asked. */
class Server {
  now = 1_000_000;
  version = 10;
  readonly objects = new Map<string, FoundObject>();
  readonly reads: string[] = [];
  /** Versions that watches began from. */
  readonly watches: string[] = [];
  stopped = 0;
  /** Of the latest watch. */
  ears: Ears | null = null;
  /** Runs while an answer is on its way back. */
  meanwhile: () => void = () => undefined;
  readonly watch = new KindWatch(
    {
      read: async (name) => {
        this.reads.push(name);
        const answer = { object: this.objects.get(name) ?? null, version: String(this.version) };
        await Promise.resolve();
        this.meanwhile();
        return answer;
      },
      watch: (version, ears) => {
        this.watches.push(version);
        this.ears = ears;
        return { stop: () => (this.stopped += 1) };
      },
    },
    () => this.now,
  );

  /** Makes or changes an object; the watch tells it when there is one. */
  write(name: string): string {
    const version = String((this.version += 1));
    this.objects.set(name, objectOf(name, version));
    this.ears?.heard(event('MODIFIED', name, version));
    return version;
  }

  async versionSeen(name: string): Promise<string | undefined> {
    return (await this.watch.look(name)).object?.metadata?.resourceVersion;
  }
}

/** One that has been asked for `route`, and is watched. */
async function watched(): Promise<Server> {
  const server = new Server();
  server.write('route');
  await server.watch.look('route');
  server.ears?.opened();
  return server;
}

describe('the watch of a kind', () => {
  test('answers from memory, with what has happened since and when it was last alive', async () => {
    const server = await watched();
    server.now += 5_000;
    const version = server.write('route');
    server.now += 30_000;
    expect(await server.watch.look('route')).toMatchObject({
      object: objectOf('route', version),
      seenAt: server.now - 30_000,
    });
    expect([server.reads, server.watches]).toEqual([['route'], ['11']]);
  });

  test('is shared by all objects of the kind, each of which is read once', async () => {
    const server = await watched();
    server.write('other');
    await server.watch.look('other');
    const version = server.write('other');
    expect(await server.versionSeen('other')).toBe(version);
    expect([server.reads, server.watches]).toEqual([['route', 'other'], ['11']]);
  });

  test('never goes back behind what was read, or behind what it has told while an answer was on its way', async () => {
    const server = await watched();
    const read = server.write('other');
    await server.watch.look('other');
    server.ears?.heard(event('MODIFIED', 'other', String(Number(read) - 1)));
    expect(await server.versionSeen('other')).toBe(read);
    server.write('late');
    server.meanwhile = () => void server.write('late');
    expect(await server.versionSeen('late')).toBe(String(server.version));
  });

  test('asks the server when it does not know that it is alive', async () => {
    const server = await watched();
    server.now += silentMs;
    await server.watch.look('route');
    expect(server.reads).toHaveLength(1);
    server.now += 1;
    await server.watch.look('route');
    expect(server.reads).toHaveLength(2);
    server.ears?.heard(event('BOOKMARK', '', String(server.version)));
    await server.watch.look('route');
    expect(server.reads).toHaveLength(2);
  });

  test('asks the server for what is gone, and for what was never there', async () => {
    const server = await watched();
    server.objects.delete('route');
    server.ears?.heard(event('DELETED', 'route', String((server.version += 1))));
    for (const name of ['route', 'nothing']) expect((await server.watch.look(name)).object).toBeNull();
    expect(server.reads).toEqual(['route', 'route', 'nothing']);
  });

  test.each([
    ['the server says 410', (ears: Ears) => ears.heard({ type: 'ERROR', object: {} })],
    ['the connection is cut', (ears: Ears) => ears.ended(null)],
  ])('tells who waits that %s, forgets everything, and begins anew from a later version', async (_, end) => {
    const server = await watched();
    const { changed } = await server.watch.look('route');
    const ears = server.ears;
    server.ears = null;
    if (ears !== null) end(ears);
    expect(await changed).toBeNull();
    expect(server.stopped).toBe(1);
    const version = server.write('route');
    expect(await server.versionSeen('route')).toBe(version);
    expect(server.watches).toHaveLength(1);
    server.now += 1_000;
    await server.watch.look('route');
    expect(server.watches).toEqual(['11', version]);
    ears?.ended(null);
    expect(server.stopped).toBe(1);
  });

  test('waits longer after each failure, and longest after a refusal', async () => {
    const server = await watched();
    for (const [status, tooEarlyMs, enoughMs] of [
      [null, 499, 1_000],
      [null, 999, 2_000],
      [403, 599_999, 600_000],
    ] as const) {
      const before = server.watches.length;
      server.ears?.ended(status);
      server.now += tooEarlyMs;
      await server.watch.look('route');
      expect(server.watches).toHaveLength(before);
      server.now += enoughMs - tooEarlyMs;
      await server.watch.look('route');
      expect(server.watches).toHaveLength(before + 1);
    }
  });

  test('begins the next one at once when the last one was a long one', async () => {
    const server = await watched();
    server.now += 3_000_000;
    server.ears?.ended(null);
    await server.watch.look('route');
    expect(server.watches).toHaveLength(2);
  });

  test('ends when nobody has asked for long, and for good when it is closed', async () => {
    const server = await watched();
    server.now += 900_001;
    server.ears?.heard(event('BOOKMARK', '', '11'));
    expect(server.stopped).toBe(1);
    await server.watch.look('route');
    expect(server.watches).toHaveLength(2);
    server.watch.close();
    expect(server.stopped).toBe(2);
    await server.watch.look('route');
    expect(server.watches).toHaveLength(2);
  });
});
