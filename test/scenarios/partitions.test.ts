import { randomUUID } from 'node:crypto';
import { RealService } from '../support/real-service.ts';
import { centsSpec } from '../support/sql-world.ts';

const old = 20_000;
const late = 700;

/** Payments of one year in two parts; the amount of each, in cents, is what its id says. */
const tables = [
  'CREATE TABLE payments (id bigint, day date, amount numeric(12,2) NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)',
  `CREATE TABLE first_half PARTITION OF payments FOR VALUES FROM ('2026-01-01') TO ('2026-07-01')`,
  `CREATE TABLE second_half PARTITION OF payments FOR VALUES FROM ('2026-07-01') TO ('2027-01-01')`,
  `INSERT INTO payments SELECT g, date '2026-01-01' + g % 365, g / 100.0 FROM generate_series(1, ${old}) g`,
  'VACUUM ANALYZE payments',
];

/** As a job makes next year's partition beside the table and fills it, in the one shape that it knows. */
const nextYear = {
  'a partition': ['CREATE TABLE next_year (LIKE payments INCLUDING ALL)'],
  'a partition in parts of its own': [
    'CREATE TABLE next_year (LIKE payments INCLUDING ALL) PARTITION BY RANGE (day)',
    `CREATE TABLE next_spring PARTITION OF next_year FOR VALUES FROM ('2027-03-01') TO ('2027-06-01')`,
    'CREATE TABLE next_rest PARTITION OF next_year DEFAULT',
  ],
} as const;
/** Where its rows are. */
const leaves = {
  'a partition': ['next_year'],
  'a partition in parts of its own': ['next_spring', 'next_rest'],
} as const;
const filled = `INSERT INTO next_year (id, day, amount) SELECT g, date '2027-01-01' + g % 365, g / 100.0 FROM generate_series(${old + 1}, ${old + late}) g`;
const attached = `ALTER TABLE payments ATTACH PARTITION next_year FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')`;

/** What a partition may have kept that the others have not: our trigger, a check of ours, the old column, empty rows. */
const leftovers = `SELECT tgname FROM pg_trigger WHERE tgname LIKE 'zzz_lakeshift%'
  UNION ALL SELECT conname FROM pg_constraint WHERE conname LIKE 'lakeshift%'
  UNION ALL SELECT attname FROM pg_attribute JOIN pg_partition_tree('payments') ON relid = attrelid
    WHERE attname = 'amount' OR attname = 'amount_cents' AND NOT attnotnull`;

describe('a table whose backfill is under way', () => {
  let service: RealService;
  beforeEach(async () => {
    service = await RealService.start();
    for (const sql of tables) await service.shop.query(sql);
  }, 60_000);
  afterEach(() => service.stop(), 60_000);

  const count = async (what: string): Promise<number> =>
    Number((await service.shop.query<{ n: string }>(`SELECT count(*) AS n FROM ${what}`)).rows[0]?.n);

  /** Approves this stage once it waits for that. */
  const approve = async (id: string, stage: string): Promise<void> => {
    const { status } = await service.until(`${stage} to wait for its approval`, async () => {
      const view = await service.view(id);
      const waits = view.status.stage === stage && view.status.phase === 'waiting-for-approval';
      return waits || view.status.progress.parked !== null ? view : null;
    });
    expect(status.progress.parked).toBeNull();
    await service.approve(id);
  };

  test.each(['a partition', 'a partition in parts of its own'] as const)(
    'takes in the rows of %s that is attached, and is deployed with no row that differs',
    async (kind) => {
      const spec = { ...centsSpec, contract: { after: '1s' }, backfill: { rate: 1_000 } };
      const { id } = (await service.deploy(spec, randomUUID())).status;
      await service.until('rows', async () =>
        (await count('payments WHERE amount_cents IS NOT NULL')) > 0 ? true : null,
      );
      for (const sql of [...nextYear[kind], filled]) await service.shop.query(sql);
      expect(await count('next_year WHERE amount_cents IS NULL')).toBe(late);
      await service.shop.query(attached);
      const all = old + late + 1;
      await service.shop.query(`INSERT INTO payments (id, day, amount) VALUES (${all}, '2027-04-01', ${all} / 100.0)`);
      await service.shop.query(`UPDATE payments SET day = '2027-04-01' WHERE id = 1`);
      expect(await count(`payments WHERE amount_cents IS NULL AND id <= ${old}`)).toBeGreaterThan(0);
      expect((await service.view(id)).status.phase).toBe('backfilling');
      await service.order(id, 'set-rate', { rowsPerSecond: null });

      await approve(id, 'cutover');
      await approve(id, 'contract');
      const { stages } = (await service.reaches(id, 'deployed')).status.progress;
      const notes = stages.find(({ name }) => name === 'backfill')?.note?.split('; ');
      expect(notes?.filter((note) => note.includes('attached')).sort()).toEqual(
        leaves[kind].map((leaf) => `public.${leaf} was attached or made`).sort(),
      );
      expect(stages.find(({ name }) => name === 'verify')?.note).toBe(`${all} rows are the same in both shapes`);
      expect([await count('payments'), await count('payments WHERE amount_cents IS DISTINCT FROM id')]).toEqual([
        all,
        0,
      ]);
      expect(await count('next_year')).toBe(late + 2);
      expect(await count(`(${leftovers}) AS left_over`)).toBe(0);
    },
    120_000,
  );
});
