import { centsSpec, SqlWorld, stageOf } from '../../support/sql-world.ts';

/** More than a slice can rewrite before it has measured, on a busy machine too. */
const rows = 200_000;

const measured = { ...centsSpec, protect: {} };

describe('a backfill beside an application', () => {
  let world: SqlWorld;
  let over: AbortController;
  let serving: Promise<void>;
  beforeEach(async () => {
    world = await SqlWorld.open();
    await world.payments(rows);
    const application = await world.application();
    over = new AbortController();
    serving = (async () => {
      while (!over.signal.aborted) {
        await application.query('SELECT amount FROM payments WHERE id = 1 + floor(random() * 200000)');
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
  });
  afterEach(async () => {
    over.abort();
    await serving;
    await world.close();
  });

  /** Runs a slice until what it says of its pace fits, then pauses it. */
  const sliceUntil = async (
    stage: ReturnType<typeof stageOf<'backfill'>>,
    fits: (pace: string) => boolean,
    site = world.site(),
  ) => {
    const running = world.run('backfill', { site, stage, rows });
    while (!world.told.some(({ pace }) => fits(pace))) await new Promise((resolve) => setTimeout(resolve, 100));
    await world.run('steer', { site, paused: true, rate: null });
    return running;
  };

  test('measures it without us and beside us, and says with its pace how much of the bound is used', async () => {
    const plan = await world.expanded(measured);
    // bursts of a few rows, so that the table lasts
    const stage = { ...stageOf(plan, 'backfill'), rowsPerPage: 5_000 };
    const facts = await sliceUntil(stage, (pace) => /p99 [\d.]+ ms, alone [\d.]+ ms: [\d.]+× of 1.5×$/.test(pace));
    expect(facts).toMatchObject({ paused: true, blindForMs: 0, blindBecause: null });
    expect(facts.felt).toMatchObject({ by: 'our own probe', lockWaits: 0, deadlocks: 0, errors: null });
    expect(facts.felt?.p99AloneMs).toBeGreaterThan(0);
    expect(facts.felt?.p99BesideMs).toBeGreaterThan(0);
    expect(world.told.map(({ pace }) => pace)).toContain('looks at the application alone for a moment');
  }, 180_000);

  test('holds back when the worker does not know the source that its plan names, and says so', async () => {
    const plan = await world.expanded(measured);
    const protect = { p99: 1.5, by: { kind: 'metrics', source: 'shop-prometheus' } } as const;
    const stage = { ...stageOf(plan, 'backfill'), protect };
    const facts = await sliceUntil(stage, (pace) =>
      pace.includes(
        '10 % of the time in bursts of at most 100 rows; holds back: the worker knows no metrics source shop-prometheus',
      ),
    );
    expect(facts.blindForMs).toBeGreaterThan(0);
    expect(facts.blindBecause).toContain('shop-prometheus');
    expect(facts.felt).toMatchObject({ by: null, p99AloneMs: null, p99BesideMs: null, measuredMs: 0 });
  });
});
