import { Connection } from '@temporalio/client';
import { Client } from 'pg';
import { freshDatabase, temporalAddress } from '../support/servers.ts';

describe('the servers of a test run', () => {
  it('give each test an empty database of PostgreSQL 18', async () => {
    const { url, drop } = await freshDatabase();
    const client = new Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query<{ version: number; tables: number }>(
      `select current_setting('server_version_num')::int / 10000 as version,
              (select count(*)::int from pg_tables where schemaname = 'public') as tables`,
    );
    await client.end();
    await drop();
    expect(rows).toEqual([{ version: 18, tables: 0 }]);
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
