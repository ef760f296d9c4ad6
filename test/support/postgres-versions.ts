import { join } from 'node:path';
import { otherMajors, type OtherMajor } from '../../tools/postgres/binaries.ts';
import { startPostgres, type RunningPostgres } from '../../tools/postgres/server.ts';
import { offer } from './on-demand.ts';

/** Starts PostgreSQL of other versions when a test asks for one, each once for the run; `stop` stops them all. */
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
  const { address, close } = await offer((path) => {
    const major = otherMajors.find((candidate) => String(candidate) === path);
    return major === undefined ? null : start(major).then(({ url }) => url);
  });
  const stop = async (): Promise<void> => {
    close();
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
  return { address, stop };
}
