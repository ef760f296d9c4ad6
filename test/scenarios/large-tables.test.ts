import { SqlWorld, stageOf } from '../support/sql-world.ts';

/** `LAKESHIFT_TEST_ROWS=50000000` makes it the real thing; without it only the way there is proven. */
const rows = Number(process.env['LAKESHIFT_TEST_ROWS'] ?? 30_000);
const slicesMs = rows > 1_000_000 ? 60_000 : 300;

test(
  `a table of ${rows} rows goes through preflight, backfill and verify in slices, and none of it is held in memory`,
  async () => {
    const world = await SqlWorld.open();
    try {
      await world.payments(rows);
      const plan = await world.plan();
      await world.run('claim', { site: world.site(), plan });
      const [everyRow, backfill, check] = [
        stageOf(plan, 'preflight').everyRow,
        { ...stageOf(plan, 'backfill'), sliceMs: slicesMs },
        stageOf(plan, 'verify').check,
      ];
      if (everyRow === null || check === null) throw new Error('nothing to compare');
      const before = process.memoryUsage().rss;
      const compare = async (stage: string, what: typeof check) => {
        for (;;) {
          const facts = await world.run('checkRows', {
            site: world.site(),
            stage,
            check: what,
            pass: stage,
            rows,
            sliceMs: slicesMs,
          });
          if (facts.finished) return facts;
        }
      };
      expect(await compare('preflight', everyRow)).toMatchObject({ seen: rows, wrong: 0 });
      await world.run('alter', { site: world.site(), stage: 'expand', alteration: stageOf(plan, 'expand').perform });
      while (!(await world.run('backfill', { site: world.site(), stage: backfill, rows })).finished);
      expect(await compare('verify', check)).toMatchObject({ seen: rows, wrong: 0 });
      // far less than any table; what the test's own machinery takes is in it
      expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 * 1024);
      const [progress] = await world.rows<{ bytes: number }>(
        `SELECT max(pg_column_size(p.*))::int AS bytes FROM lakeshift.progress AS p`,
      );
      expect(progress?.bytes).toBeLessThan(2_000);
    } finally {
      await world.close();
    }
  },
  120_000 + rows,
);
