import { randomUUID } from 'node:crypto';
import { RealService } from '../support/real-service.ts';
import { centsSpec } from '../support/sql-world.ts';

const rows = 20_000;

describe('what others do to the table while a backfill is under way', () => {
  let service: RealService;
  beforeEach(async () => {
    service = await RealService.start();
    await service.payments(rows);
  }, 60_000);
  afterEach(() => service.stop(), 60_000);

  /** Starts a slow backfill, lets something happen in its middle, and lets it go on at full speed in a new slice. */
  async function midway(happens: string): Promise<string> {
    const spec = { ...centsSpec, protect: { probe: false }, backfill: { rate: 3_000 }, onFailure: 'park' };
    const { status } = await service.deploy(spec, randomUUID());
    await service.until('rows', async () => ((await service.rowsDone()) > 0 ? true : null));
    await service.order(status.id, 'pause');
    await service.until('the slice to hand back', async () => {
      const before = await service.rowsDone();
      await new Promise((resolve) => setTimeout(resolve, 500));
      return (await service.rowsDone()) === before ? true : null;
    });
    const mark = (await service.plan(status.id)).specHash.slice(0, 8);
    await service.shop.query(happens.replaceAll('%t', `zzz_lakeshift_${mark}`));
    await service.order(status.id, 'set-rate', { rowsPerSecond: null });
    await service.order(status.id, 'resume');
    return status.id;
  }

  test.each([
    ['our trigger is dropped', 'DROP TRIGGER %t ON payments'],
    ['our trigger is disabled', 'ALTER TABLE payments DISABLE TRIGGER %t'],
    ['the new column is dropped', 'ALTER TABLE payments DROP COLUMN amount_cents'],
    [
      'the table is another one',
      'ALTER TABLE payments RENAME TO aside; CREATE TABLE payments (LIKE aside INCLUDING ALL)',
    ],
  ])(
    'parks with what is different when %s; nothing has been believed',
    async (_, happens) => {
      const id = await midway(happens);
      const { status } = await service.reaches(id, 'needs-attention');
      expect(status.progress.parked?.code).toBe('TARGET_DRIFTED');
      expect(status.stage).toBe('backfill');
    },
    120_000,
  );

  test.each([
    ['rewritten in place', 'VACUUM FULL payments', rows],
    ['emptied', 'TRUNCATE payments', 0],
    ['vacuumed', 'VACUUM payments', rows],
    ['given another index', 'CREATE INDEX ON payments (amount)', rows],
  ])(
    'goes over the table again as it needs to when it is %s',
    async (_, happens, left) => {
      const id = await midway(happens);
      const { status } = await service.reaches(id, 'waiting-for-approval', 'needs-attention');
      expect(status.progress.parked).toBeNull();
      const { rows: wrong } = await service.shop.query<{ n: number; wrong: number }>(
        'SELECT count(*)::int AS n, count(*) FILTER (WHERE amount_cents IS DISTINCT FROM round(amount * 100))::int AS wrong FROM payments',
      );
      expect(wrong).toEqual([{ n: left, wrong: 0 }]);
    },
    120_000,
  );
});
