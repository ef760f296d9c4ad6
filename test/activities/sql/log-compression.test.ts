import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSession } from '../../../activities/sql/session.ts';
import { grantsOf } from '../../../decisions/guests/grants.ts';
import { getSystemPostgres } from '../../../tools/postgres/binaries.ts';
import { startPostgres, type RunningPostgres } from '../../../tools/postgres/server.ts';
import { majors, type DatabaseWishes } from '../../support/servers.ts';
import { centsSpec, SqlWorld } from '../../support/sql-world.ts';

const none = { role: 'lakeshift', homeSchema: 'lakeshift', table: null };
const system = await getSystemPostgres().catch(() => null);

describe('the images of pages that the backfill writes to the log', () => {
  describe.each(majors)('on PostgreSQL %s, a build without lz4', (major) => {
    test('are as they were, whether our role may ask for it or not', async () => {
      await inWorld({ major }, async (world) => {
        expect(await compression(world)).toBe('off');
        if (major > 14) await grant(world);
        expect(await compression(world)).toBe('off');
      });
    });
  });

  test('are not offered to be compressed on PostgreSQL 14, which knows no such grant', async () => {
    await inWorld({ major: 14 }, async (world) => {
      const { facts } = await world.plan(centsSpec);
      expect(grantsOf({ ...none, facts }).map(({ id }) => id)).not.toContain('log');
    });
  });

  const lacking = system === null || Number(system.version) < 15 ? ' (there is none since version 15)' : '';
  (lacking === '' ? describe : describe.skip)(`on the PostgreSQL of the system${lacking}`, () => {
    let folder: string;
    let server: RunningPostgres;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'lakeshift-test-'));
      server = await startPostgres({
        dataDir: join(folder, 'data'),
        settings: { fsync: 'off' },
        ...(system === null ? {} : { binaries: system }),
      });
    }, 60_000);
    afterAll(async () => {
      await server.stop();
      await rm(folder, { recursive: true });
    });

    test('are compressed once our role may ask for it, and in no other session', async () => {
      await inWorld({ server: server.url }, async (world) => {
        expect(await compression(world)).toBe('off');
        await grant(world);
        expect(await compression(world)).toBe('lz4');
        expect(await world.rows('SHOW wal_compression')).toEqual([{ wal_compression: 'off' }]);
      });
    });

    test('are left to the server where it compresses them already', async () => {
      await inWorld({ server: server.url }, async (world) => {
        await world.superuser.query(`ALTER DATABASE ${world.superuser.database} SET wal_compression = pglz`);
        await grant(world);
        expect(await compression(world)).toBe('pglz');
      });
    });
  });
});

async function inWorld(wishes: DatabaseWishes, work: (world: SqlWorld) => Promise<void>): Promise<void> {
  const world = await SqlWorld.open(wishes);
  try {
    await world.payments(10);
    await work(world);
  } finally {
    await world.superuser.query(`DROP OWNED BY ${roleOf(world)} CASCADE`);
    await world.close();
  }
}

const roleOf = (world: SqlWorld): string => new URL(world.database.url).username;

/** As an admin would, what `lakeshift grants` prints. */
async function grant(world: SqlWorld): Promise<void> {
  const printed = grantsOf({ ...none, role: roleOf(world), facts: null }).find(({ id }) => id === 'log');
  await world.superuser.query(printed?.sql ?? 'it is not printed');
}

/** What the server says in a session that has gone through the settings of a backfill. */
async function compression(world: SqlWorld): Promise<unknown> {
  const backfill = (await world.plan(centsSpec)).stages.find((stage) => stage.kind === 'backfill');
  const session = await openSession({ name: 'shop', url: world.database.url }, 'lakeshift test');
  try {
    for (const { sql } of backfill?.session ?? []) await session.query(sql);
    return (await session.query('SHOW wal_compression'))[0]?.['wal_compression'];
  } finally {
    await session.close();
  }
}
