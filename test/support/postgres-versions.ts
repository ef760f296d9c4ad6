import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { otherMajors, type OtherMajor } from '../../tools/postgres/binaries.ts';
import { startPostgres, type RunningPostgres } from '../../tools/postgres/server.ts';

/**
 * Starts PostgreSQL of other versions when a test asks for one, each once for the run. Tests run in processes of their
 * own, so they ask over HTTP; the servers belong to the process of the set-up, which stops them as it stops the rest.
 */
export async function offerVersions(folder: string): Promise<{ address: string; stop: () => Promise<void> }> {
  const started = new Map<OtherMajor, Promise<RunningPostgres>>();
  const start = (major: OtherMajor): Promise<RunningPostgres> => {
    const running =
      started.get(major) ??
      startPostgres({
        major,
        dataDir: join(folder, `postgres-${major}`),
        // most of the start is copying memory that a test's database never needs
        settings: { fsync: 'off', shared_buffers: '32MB' },
        recordIn: join(folder, 'processes'),
      });
    started.set(major, running);
    return running;
  };
  const server = createServer((request, response) => {
    const major = otherMajors.find((candidate) => `/${candidate}` === request.url);
    if (major === undefined) answer(response, 404, `there is no PostgreSQL at ${request.url ?? ''}`);
    else
      start(major).then(
        ({ url }) => answer(response, 200, url),
        (error: unknown) => answer(response, 500, error instanceof Error ? error.message : String(error)),
      );
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    server.close();
    // one that did not start has told whoever asked for it
    await Promise.all(
      [...started.values()].map((starting) =>
        starting.then(
          (running) => running.stop(),
          () => undefined,
        ),
      ),
    );
  };
  return { address: `http://127.0.0.1:${portOf(server.address())}`, stop };
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(text);
}

const portOf = (address: ReturnType<ReturnType<typeof createServer>['address']>): number =>
  typeof address === 'object' && address !== null ? address.port : 0;
