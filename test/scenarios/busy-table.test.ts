import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { RealService } from '../support/real-service.ts';
import { centsSpec } from '../support/sql-world.ts';
import { freshDatabase, type TestDatabase } from '../support/servers.ts';
import { SteadyApplication } from '../support/steady-application.ts';
import { TableWaits } from '../support/table-waits.ts';

const rows = 5_000;
const heldForSeconds = 6;

describe('a table that a report of seconds reads while its expansion is due', () => {
  let shop: TestDatabase;
  let service: RealService;
  const open: { end: () => Promise<unknown> }[] = [];
  beforeEach(async () => {
    shop = await freshDatabase();
    service = await RealService.on(shop);
    await service.payments(rows);
  }, 60_000);
  afterEach(async () => {
    for (const one of open.splice(0)) await one.end();
    await service.stop();
  }, 60_000);

  /** How long the status says that this session has held the table, s; null: it does not name it. */
  const named = async (id: string, pid: number): Promise<number | null> => {
    const pace = (await service.view(id)).live?.pace ?? '';
    const found = new RegExp(`held by pid ${pid} \\(nightly report, (\\d+\\.\\d) s\\)`).exec(pace);
    return found === null ? null : Number(found[1]);
  };

  const newColumns = async (): Promise<number> =>
    (
      await service.shop.query(
        `SELECT FROM pg_attribute WHERE attrelid = 'payments'::regclass AND attname = 'amount_cents' AND NOT attisdropped`,
      )
    ).rowCount ?? -1;

  test('is named as held by that report, waits for nobody meanwhile, and is expanded once the report is done', async () => {
    const reader = new pg.Client({ connectionString: shop.applicationUrl, application_name: 'nightly report' });
    await reader.connect();
    open.push(reader);
    const application = await SteadyApplication.start(shop.applicationUrl, rows);
    open.push(application);
    const waits = await TableWaits.watch(shop.superuserUrl, 'payments');
    open.push(waits);
    const began = await reader.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const pid = began.rows[0]?.pid ?? 0;
    await reader.query('BEGIN; LOCK TABLE payments IN ACCESS SHARE MODE');

    const { status } = await service.deploy(centsSpec, randomUUID());
    const first = await service.until('the holder to be named', () => named(status.id, pid));
    const doneBefore = application.done;
    await service.until('seconds of it', async () =>
      ((await named(status.id, pid)) ?? 0) >= first + heldForSeconds ? true : null,
    );
    expect((await service.view(status.id)).status.phase).toBe('expanding');
    expect(await newColumns()).toBe(0);
    expect(application.done).toBeGreaterThan(doneBefore);
    // not even for a moment: whoever asks for the lock while a report has it stops all who come after
    expect({ looks: waits.looks > 0, ours: waits.ours, behindUs: waits.longestBehindUs }).toEqual({
      looks: true,
      ours: 0,
      behindUs: 0,
    });

    await reader.query('COMMIT');
    await service.until('the new column', async () => ((await newColumns()) === 1 ? true : null));
    const doneAfter = application.done;
    await service.reaches(status.id, 'waiting-for-approval');
    expect(application.done).toBeGreaterThan(doneAfter);
    await Promise.all([application.end(), waits.end()]);
    expect(application.failures).toEqual([]);
    // looks are 10 ms apart at the least: nobody stood behind our DDL for longer than 50 ms
    expect(waits.longestBehindUs).toBeLessThanOrEqual(5);
    const wrong = await service.shop.query(
      'SELECT id FROM payments WHERE amount_cents IS DISTINCT FROM round(amount * 100)',
    );
    expect(wrong.rows).toEqual([]);
  }, 120_000);
});
