import type { Session } from '../../../activities/sql/session.ts';
import { openSession } from '../../../activities/sql/session.ts';
import { grantsOf } from '../../../decisions/guests/grants.ts';
import { majors } from '../../support/servers.ts';
import { centsSpec, SqlWorld } from '../../support/sql-world.ts';

const none = { role: 'lakeshift', homeSchema: 'lakeshift', table: null };
const known = majors.filter((major) => major >= 15);

describe('the images of pages that the backfill writes to the log', () => {
  test.each(known)('are compressed on PostgreSQL %s once our role may ask for it', async (major) => {
    const world = await SqlWorld.open({ major });
    const role = new URL(world.database.url).username;
    try {
      await world.payments(10);
      expect(await compression(world)).toBe('off');
      const grant = grantsOf({ ...none, role, facts: null }).find(({ id }) => id === 'log');
      await world.superuser.query(grant?.sql ?? 'no such grant');
      expect(await compression(world)).toBe('lz4');
      await world.superuser.query(`ALTER DATABASE ${world.superuser.database} SET wal_compression = pglz`);
      expect(await compression(world)).toBe('pglz');
    } finally {
      await world.superuser.query(`REVOKE SET ON PARAMETER wal_compression FROM ${role}`);
      await world.close();
    }
  });

  test('are as they were on PostgreSQL 14, which knows no such grant, and it is not printed there', async () => {
    const world = await SqlWorld.open({ major: 14 });
    try {
      await world.payments(10);
      expect(await compression(world)).toBe('off');
      const { facts } = await world.plan(centsSpec);
      expect(grantsOf({ ...none, facts }).map(({ id }) => id)).not.toContain('log');
    } finally {
      await world.close();
    }
  });
});

/** What the server says in a session that has gone through the settings of a backfill. */
async function compression(world: SqlWorld): Promise<unknown> {
  const { stages } = await world.plan(centsSpec);
  const backfill = stages.find(({ kind }) => kind === 'backfill');
  if (backfill?.kind !== 'backfill') throw new Error('the plan has no backfill');
  const session: Session = await openSession({ name: 'shop', url: world.database.url }, 'lakeshift test');
  try {
    for (const { sql } of backfill.session) await session.query(sql);
    return (await session.query('SHOW wal_compression'))[0]?.['wal_compression'];
  } finally {
    await session.close();
  }
}
