import { randomUUID } from 'node:crypto';
import { RealService } from '../support/real-service.ts';
import { centsSpec } from '../support/sql-world.ts';

const rows = 3_000;

/** What comes about while the cutover waits for a person, `%t` being our trigger; and what a person has to do. */
const stories = {
  'rows that were written while our trigger was disabled': {
    table: ['ALTER TABLE payments ADD PRIMARY KEY (id)'],
    happens: [
      'ALTER TABLE payments DISABLE TRIGGER %t',
      'INSERT INTO payments (id, amount) SELECT g, 1.25 FROM generate_series(9001, 9007) g',
      'ALTER TABLE payments ENABLE ALWAYS TRIGGER %t',
    ],
    differ: 7,
    new: 7,
  },
  'rows that were changed while our trigger was disabled': {
    table: ['ALTER TABLE payments ADD PRIMARY KEY (id)'],
    happens: [
      'ALTER TABLE payments DISABLE TRIGGER %t',
      'UPDATE payments SET amount = amount + 1 WHERE id <= 5',
      'ALTER TABLE payments ENABLE ALWAYS TRIGGER %t',
    ],
    differ: 5,
    new: 0,
    // which of the two is right only a person can tell
    mended: 'UPDATE payments SET amount_cents = round(amount * 100) WHERE id <= 5',
  },
  'rows of a partition that was attached': {
    table: ['ALTER TABLE payments ADD PRIMARY KEY (id)'],
    partitioned: true,
    happens: [
      'CREATE TABLE later (LIKE payments INCLUDING ALL)',
      'INSERT INTO later (id, amount) SELECT g, 1.25 FROM generate_series(9001, 9009) g',
      'ALTER TABLE payments ATTACH PARTITION later FOR VALUES FROM (9000) TO (10000)',
    ],
    differ: 9,
    new: 9,
  },
} as const;

describe('between the verification and the word of a person', () => {
  let service: RealService;
  beforeEach(async () => {
    service = await RealService.start();
  }, 60_000);
  afterEach(() => service.stop(), 60_000);

  const payments = async (partitioned: boolean): Promise<void> => {
    await service.shop.query(
      `CREATE TABLE payments (id bigint NOT NULL, amount numeric(12,2) NOT NULL)${partitioned ? ' PARTITION BY RANGE (id)' : ''}`,
    );
    if (partitioned) await service.shop.query('CREATE TABLE first PARTITION OF payments FOR VALUES FROM (0) TO (9000)');
    await service.shop.query(`INSERT INTO payments SELECT g, g / 100.0 FROM generate_series(1, ${rows}) g`);
  };
  const differing = async (): Promise<number> =>
    (await service.shop.query('SELECT FROM payments WHERE amount_cents IS DISTINCT FROM round(amount * 100)'))
      .rowCount ?? -1;

  test.each(Object.entries(stories))(
    '%s are found before the new shape leads, and a retry converts what nobody has',
    async (_, story) => {
      await payments('partitioned' in story);
      for (const sql of story.table) await service.shop.query(sql);
      await service.shop.query('VACUUM ANALYZE payments');
      const { id } = (await service.deploy({ ...centsSpec, contract: { after: '1h' } }, randomUUID())).status;
      await service.reaches(id, 'waiting-for-approval');
      const trigger = `zzz_lakeshift_${(await service.plan(id)).specHash.slice(0, 8)}`;
      for (const sql of story.happens) await service.shop.query(sql.replaceAll('%t', trigger));

      await service.approve(id);
      const { status } = await service.reaches(id, 'needs-attention', 'in-grace');
      expect([status.stage, status.progress.parked?.code]).toEqual(['cutover', 'VERIFY_DIFFERS']);
      expect(status.progress.parked?.detail).toContain(`${story.differ} of ${rows + story.new} rows differ`);
      expect(status.progress.wayBack).toMatchObject({ verdict: 'lossless' });

      if ('mended' in story) await service.shop.query(story.mended);
      expect((await service.order(id, 'retry')).status).toBe(200);
      const { stages } = (await service.reaches(id, 'in-grace')).status.progress;
      expect(await differing()).toBe(0);
      expect(stages.find(({ name }) => name === 'backfill')).toMatchObject({ state: 'done' });
    },
    120_000,
  );
});
