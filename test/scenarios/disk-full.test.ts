import { execFile } from 'node:child_process';
import { chown, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { getPostgres } from '../../tools/postgres/binaries.ts';
import { SqlWorld, stageOf } from '../support/sql-world.ts';

const run = promisify(execFile);

/** A small disk needs a mount, and a mount needs root. */
const whenRoot = process.getuid?.() === 0 && process.platform === 'linux' ? test : test.skip;

whenRoot(
  'a disk that is full stops the backfill at once, which goes on when there is room again',
  async () => {
    const world = await SqlWorld.open();
    const disk = await mkdtemp(join(tmpdir(), 'lakeshift-disk-'));
    const space = new URL(world.database.url).pathname.slice(1);
    await run('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk]);
    try {
      const { user } = await getPostgres();
      if (user !== undefined) await chown(disk, user.uid, user.gid);
      await world.superuser.query(`CREATE TABLESPACE ${space} LOCATION '${disk}'`);
      await world.superuser.query(`GRANT CREATE ON TABLESPACE ${space} TO PUBLIC`);
      await world.payments(60_000, `TABLESPACE ${space}`);
      const plan = await world.expanded();
      const ballast = join(disk, 'ballast');
      const { bavail, bsize } = await statfs(disk);
      await writeFile(ballast, Buffer.alloc(Math.max(0, bavail * bsize - 65_536)));
      const failed: unknown = await world.backfill(plan).catch((error: unknown) => error);
      expect(failed).toMatchObject({ type: 'TARGET_FULL', nonRetryable: false, nextRetryDelay: 10_000 });
      const [half] = await world.rows<{ n: number }>('SELECT count(amount_cents)::int AS n FROM payments');
      expect(half?.n).toBeLessThan(60_000);
      await rm(ballast);
      expect(
        await world.run('backfill', { site: world.site(), stage: stageOf(plan, 'backfill'), rows: 60_000 }),
      ).toMatchObject({ finished: true, rows: 60_000 });
      expect(await world.verify(plan)).toMatchObject({ seen: 60_000, wrong: 0 });
    } finally {
      await world.superuser.query('DROP TABLE IF EXISTS payments CASCADE');
      await world.superuser.query(`DROP TABLESPACE IF EXISTS ${space}`);
      await world.close();
      await run('umount', [disk]);
      await rm(disk, { recursive: true });
    }
  },
  120_000,
);
