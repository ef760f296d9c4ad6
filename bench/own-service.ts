import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { RealService } from '../test/support/real-service.ts';
import { startPostgres } from '../tools/postgres/server.ts';
import { startTemporal } from '../tools/temporal/server.ts';

/** A whole service on servers of its own, for as long as the work takes. */
export async function withOwnService<T>(work: (service: RealService) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'lakeshift-bench-'));
  const [postgres, temporal] = await Promise.all([
    startPostgres({ dataDir: join(folder, 'data'), settings: { shared_buffers: '1GB', max_wal_size: '8GB' } }),
    startTemporal({ dbFile: join(folder, 'temporal.db') }),
  ]);
  try {
    const admin = new pg.Client({ connectionString: postgres.url });
    await admin.connect();
    await admin.query('CREATE DATABASE shop');
    await admin.query('CREATE DATABASE ledger');
    await admin.end();
    const url = (database: string): string => Object.assign(new URL(postgres.url), { pathname: `/${database}` }).href;
    const service = await RealService.start({
      temporal: temporal.address,
      ledgerUrl: url('ledger'),
      shopUrl: url('shop'),
      drop: () => Promise.resolve(),
    });
    try {
      return await work(service);
    } finally {
      await service.stop();
    }
  } finally {
    await temporal.stop();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
