import type { IndexBuild } from '../../../contracts/plan.ts';
import type { TableSpec } from '../../../contracts/spec.ts';
import { SqlWorld, stageOf } from '../../support/sql-world.ts';
import { StageWalk } from '../../support/stage-walk.ts';

const spec: TableSpec = {
  name: 'payments-rename',
  strategy: 'expand-contract',
  target: 'shop',
  table: 'public.payments',
  changes: [{ rename: 'note', to: 'remark' }],
};

describe('an index that is built beside the work of the application', () => {
  let world: SqlWorld;
  let walk: StageWalk;
  let index: IndexBuild;
  beforeEach(async () => {
    world = await SqlWorld.open();
    await world.payments(500);
    walk = await StageWalk.begin(world, spec);
    await walk.through('backfill');
    const step = stageOf(walk.plan, 'build').steps[0];
    if (step?.step !== 'index') throw new Error('no index');
    index = step.index;
  });
  afterEach(() => world.close());

  const indexes = () =>
    world.rows<{ name: string; valid: boolean }>(
      `SELECT indexrelid::regclass::text AS name, indisvalid AS valid FROM pg_index WHERE indrelid = 'payments'::regclass AND indexrelid::regclass::text LIKE 'lakeshift%'`,
    );
  const input = () => ({ site: world.site(), stage: 'build', index });
  const creating = () =>
    world.rows(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'CREATE INDEX CONCURRENTLY%' AND state = 'active'`,
    );
  const until = async (look: () => Promise<boolean>): Promise<void> => {
    while (!(await look())) await new Promise((resolve) => setTimeout(resolve, 20));
  };

  test('is made once, however often it is asked for', async () => {
    expect(await world.run('buildIndex', input())).toEqual({ built: true });
    expect(await world.run('buildIndex', input())).toEqual({ built: false });
    expect(await indexes()).toEqual([{ name: index.name, valid: true }]);
  });

  test('waits for a transaction that is older, while the application writes, and says that it does', async () => {
    const [reader, writer] = [await world.application(), await world.application()];
    await reader.query(`BEGIN; UPDATE payments SET note = 'held' WHERE id = 1`);
    const building = world.run('buildIndex', input());
    await until(async () => (await creating()).length > 0);
    await until(async () => world.told.some(({ pace }) => pace.includes('waiting for')));
    await writer.query(`SET lock_timeout = '50ms'`);
    for (let id = 2; id < 60; id++) await writer.query(`UPDATE payments SET note = 'moving' WHERE id = ${id}`);
    await reader.query('COMMIT');
    expect(await building).toEqual({ built: true });
  });

  test('that was killed in the middle has left one that is of no use: the next attempt removes it and makes it anew', async () => {
    const reader = await world.application();
    await reader.query(`BEGIN; UPDATE payments SET note = 'held' WHERE id = 1`);
    const killed = world.run('buildIndex', input()).catch((error: unknown) => error);
    await until(async () => (await indexes()).length > 0);
    await world.superuser.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY%' AND pid <> pg_backend_pid()`,
    );
    expect(await killed).toMatchObject({ type: 'TARGET_UNREACHABLE' });
    expect(await indexes()).toEqual([{ name: index.name, valid: false }]);
    await reader.query('COMMIT');
    expect(await world.run('buildIndex', input())).toEqual({ built: true });
    expect(await indexes()).toEqual([{ name: index.name, valid: true }]);
  });

  test('that a dead worker has left running is ended by the next attempt', async () => {
    const reader = await world.application();
    await reader.query(`BEGIN; UPDATE payments SET note = 'held' WHERE id = 1`);
    const first = world.run('buildIndex', input()).catch((error: unknown) => error);
    await until(async () => (await creating()).length > 0);
    const second = world.run('buildIndex', input());
    expect(await first).toMatchObject({ type: expect.stringMatching(/LOCK_NOT_ACQUIRED|FENCED/) as string });
    await reader.query('COMMIT');
    expect(await second).toEqual({ built: true });
    expect(await indexes()).toEqual([{ name: index.name, valid: true }]);
  });

  test('is ended by the fence of an undo, and goes with its column', async () => {
    const reader = await world.application();
    await reader.query(`BEGIN; UPDATE payments SET note = 'held' WHERE id = 1`);
    const building = world.run('buildIndex', input()).catch((error: unknown) => error);
    await until(async () => (await creating()).length > 0);
    await world.run('raiseFence', { site: world.site() });
    expect(await building).toMatchObject({ type: expect.stringMatching(/LOCK_NOT_ACQUIRED|FENCED/) as string });
    await reader.query('COMMIT');
    await walk.back('build');
    expect(await indexes()).toEqual([]);
  });

  test('of the same name that is not as the plan wants it is not taken for it', async () => {
    await world.client.query(`CREATE INDEX ${index.name} ON payments (amount)`);
    expect(await world.run('buildIndex', input())).toEqual({ built: true });
    expect(await world.rows(`SELECT pg_get_indexdef('${index.name}'::regclass) AS definition`)).toEqual([
      { definition: `CREATE INDEX ${index.name} ON public.payments USING btree (remark)` },
    ]);
  });

  test('that can not be unique leaves nothing behind that would refuse writes of the application', async () => {
    const unique = {
      ...index,
      create: { ...index.create, sql: index.create.sql.replace('CREATE INDEX', 'CREATE UNIQUE INDEX') },
    };
    await world.client.query(`UPDATE payments SET note = 'the same' WHERE id < 3`);
    await expect(world.run('buildIndex', { ...input(), index: unique })).rejects.toMatchObject({ type: 'SQL_FAILED' });
    expect(await indexes()).toEqual([]);
  });
});

test('the build, its undo, the build again and its undo leave the table as it was', async () => {
  const world = await SqlWorld.open();
  try {
    await world.client.query(
      'CREATE TABLE payments (id int PRIMARY KEY, code text NOT NULL UNIQUE, amount int CHECK (amount > 0)); CREATE TABLE parts (code text REFERENCES payments (code))',
    );
    const constraints = () => world.rows(`SELECT conname FROM pg_constraint WHERE contype <> 'n' ORDER BY 1`);
    const walk = await StageWalk.begin(world, {
      ...spec,
      changes: [
        { rename: 'code', to: 'reference' },
        { rename: 'amount', to: 'total' },
      ],
    });
    await walk.through('backfill');
    const before = await constraints();
    for (let round = 0; round < 2; round++) {
      await walk.perform(stageOf(walk.plan, 'build'));
      await walk.perform(stageOf(walk.plan, 'build'));
      expect(await constraints()).not.toEqual(before);
      await walk.undo(stageOf(walk.plan, 'build'));
      await walk.undo(stageOf(walk.plan, 'build'));
      expect(await constraints()).toEqual(before);
    }
  } finally {
    await world.close();
  }
});
