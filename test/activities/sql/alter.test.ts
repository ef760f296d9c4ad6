import { randomBytes } from 'node:crypto';
import { LockHolders } from '../../../activities/sql/lock-holders.ts';
import { openSession } from '../../../activities/sql/session.ts';
import { CuttingProxy } from '../../support/cutting-proxy.ts';
import { deliver, forward } from '../../support/deliver.ts';
import { centsSpec, SqlWorld, stageOf } from '../../support/sql-world.ts';

const role = `plain_${randomBytes(4).toString('hex')}`;

describe('changing a table', () => {
  let world: SqlWorld;
  beforeEach(async () => {
    world = await SqlWorld.open();
    await world.payments(100);
  });
  afterEach(() => world.close());

  const catalog = () =>
    world.rows(`SELECT 'column' AS kind, attname::text AS name, attnotnull::text AS detail FROM pg_attribute WHERE attrelid = 'payments'::regclass AND attnum > 0 AND NOT attisdropped
      UNION ALL SELECT 'trigger', tgname, tgenabled::text FROM pg_trigger WHERE tgrelid = 'payments'::regclass
      UNION ALL SELECT 'constraint', conname, convalidated::text FROM pg_constraint WHERE conrelid = 'payments'::regclass
      UNION ALL SELECT 'function', proname, '' FROM pg_proc WHERE pronamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema'))
      UNION ALL SELECT 'schema', nspname, '' FROM pg_namespace WHERE nspname NOT LIKE 'pg_%' ORDER BY 1, 2`);

  test('perform, undo, perform again and undo leaves the catalog as it was', async () => {
    const before = await catalog();
    const plan = await world.plan();
    const { perform, undo, undoLong } = stageOf(plan, 'expand');
    await world.run('claim', { site: world.site(), plan });
    for (let round = 0; round < 2; round++) {
      expect(await world.run('alter', { site: world.site(), stage: 'expand', alteration: perform })).toMatchObject({
        changed: true,
      });
      expect(await world.run('alter', { site: world.site(), stage: 'expand', alteration: perform })).toMatchObject({
        changed: false,
      });
      await world.backfill(plan);
      for (const alteration of undo) await world.run('alter', { site: world.site(), stage: 'expand', alteration });
      await world.run('alterLong', { site: world.site(), statements: undoLong });
      await world.run('alterLong', { site: world.site(), statements: undoLong });
    }
    await world.run('release', { site: world.site() });
    await world.run('release', { site: world.site() });
    expect(await catalog()).toEqual(before);
  });

  test('contract leaves nothing of ours behind but the new column', async () => {
    const plan = await world.expanded();
    await world.backfill(plan);
    const { perform, performLong = [] } = stageOf(plan, 'contract');
    await world.run('alter', { site: world.site(), stage: 'contract', alteration: perform });
    await world.run('alterLong', { site: world.site(), statements: performLong });
    await world.run('release', { site: world.site() });
    const names = (await catalog()).map(({ kind, name }) => `${String(kind)} ${String(name)}`);
    expect(names.filter((name) => name.includes('lakeshift'))).toEqual([]);
    expect(names).toContain('column amount_cents');
    expect(names).not.toContain('column amount');
  });

  test("an undo never drops a column that is somebody else's", async () => {
    const plan = await world.plan();
    await world.run('claim', { site: world.site(), plan });
    await world.client.query('ALTER TABLE payments ADD COLUMN amount_cents text');
    await expect(
      world.run('alter', { site: world.site(), stage: 'expand', alteration: stageOf(plan, 'expand').perform }),
    ).rejects.toMatchObject({ type: 'SQL_FAILED' });
    for (const alteration of stageOf(plan, 'expand').undo) {
      expect(await world.run('alter', { site: world.site(), stage: 'expand', alteration })).toMatchObject({
        changed: false,
      });
    }
    expect((await catalog()).map(({ name }) => String(name))).toContain('amount_cents');
  });

  test('an attempt that was overtaken by an undo changes nothing', async () => {
    const plan = await world.plan();
    await world.run('claim', { site: world.site(), plan });
    await world.run('raiseFence', { site: world.site(undefined, 30) });
    await expect(
      world.run('alter', {
        site: world.site(undefined, 29),
        stage: 'expand',
        alteration: stageOf(plan, 'expand').perform,
      }),
    ).rejects.toMatchObject({ type: 'FENCED' });
    expect((await catalog()).map(({ name }) => String(name))).not.toContain('amount_cents');
  });

  test('waits for a reader that holds the table without queueing for its lock, and names it meanwhile', async () => {
    const plan = await world.plan();
    await world.run('claim', { site: world.site(), plan });
    const reader = await world.application();
    // old enough from the first look on: a transaction that has only begun is tried for
    await reader.query(
      `SET application_name = 'nightly report'; BEGIN; SELECT count(*) FROM payments; SELECT pg_sleep(0.1)`,
    );
    const alteration = stageOf(plan, 'expand').perform;
    const altering = world.run('alter', { site: world.site(), stage: 'expand', alteration });
    const pid = (await reader.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid;
    const named = () =>
      world.told.filter(({ pace }) => pace.includes(`held by pid ${String(pid)} (nightly report, `)).length;
    let queued = 0;
    while (named() < 3) {
      const waiting = await world.rows(
        `SELECT 1 FROM pg_locks WHERE relation = 'payments'::regclass AND NOT granted AND mode = 'AccessExclusiveLock'`,
      );
      queued += waiting.length;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(queued).toBe(0);
    expect(world.told.at(-1)).toMatchObject({ stage: 'expand', rows: 0, totalRows: null });
    await reader.query('COMMIT');
    expect(await altering).toMatchObject({ changed: true });
  });

  test('a role that may not see how old transactions are sees that they last', async () => {
    await world.superuser.query(
      `CREATE ROLE ${role} LOGIN PASSWORD 'plain'; DO $$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %I TO ${role}', current_database()); END $$`,
    );
    await world.superuser.query(`GRANT SELECT ON payments TO ${role}`);
    const reader = await world.application();
    await reader.query('BEGIN; SELECT count(*) FROM payments');
    const url = Object.assign(new URL(world.database.url), { username: role, password: 'plain' }).href;
    const session = await openSession({ name: 'shop', url }, 'lakeshift test');
    try {
      const holders = new LockHolders(session, ['"public"."payments"']);
      expect(await holders.look()).toMatchObject([
        { forMs: 0, words: expect.stringContaining('at least 0.0 s') as string },
      ]);
      let [holder] = await holders.look();
      while ((holder?.forMs ?? 0) < 40) [holder] = await holders.look();
      await reader.query('COMMIT; BEGIN; SELECT count(*) FROM payments');
      expect(await holders.look()).toMatchObject([{ forMs: 0 }]);
      await reader.query('COMMIT');
      expect(await holders.look()).toEqual([]);
    } finally {
      await session.close();
      await world.superuser.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  test('a raised fence cancels what still runs for the deployment', async () => {
    const plan = await world.expanded();
    const site = world.site();
    const stuck = world
      .run('alterLong', { site, statements: [{ id: 'x', note: '', sql: 'SELECT pg_sleep(60)' }] })
      .catch((error: unknown) => error);
    const running = () =>
      world.rows(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'lakeshift %' AND state = 'active'`,
      );
    while ((await running()).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await world.run('raiseFence', { site: world.site() });
    expect(await stuck).toMatchObject({ type: 'LOCK_NOT_ACQUIRED' });
    expect(plan.object.table).toBe('payments');
  });
});

describe('the lock of a table', () => {
  test('is held by one deployment; the second learns its id; during grace only the columns are held', async () => {
    const world = await SqlWorld.open();
    try {
      await world.payments(10);
      const plan = await world.plan();
      const other = await world.plan({ ...plan.spec, name: 'other', changes: [{ add: 'extra int' }] });
      const [a, b] = [world.site('first-00000001'), world.site('second-00000002')];
      const both = await Promise.all([world.run('claim', { site: a, plan }), world.run('claim', { site: a, plan })]);
      expect(both).toEqual([{ held: true }, { held: true }]);
      expect(await world.run('claim', { site: b, plan: other })).toEqual({ held: false, holder: 'first-00000001' });
      await world.run('holdColumnsOnly', { site: a, columnsOnly: true });
      expect(await world.run('claim', { site: b, plan })).toEqual({ held: false, holder: 'first-00000001' });
      expect(await world.run('claim', { site: b, plan: other })).toEqual({ held: true });
      expect(await world.run('holdColumnsOnly', { site: a, columnsOnly: false })).toEqual({
        held: false,
        holder: 'second-00000002',
      });
      await world.run('release', { site: b });
      expect(await world.run('holdColumnsOnly', { site: a, columnsOnly: false })).toEqual({ held: true });
      await world.run('release', { site: a });
    } finally {
      await world.close();
    }
  });
});

test('an expression that holds what looks like a parameter is still an expression', async () => {
  const world = await SqlWorld.open();
  try {
    await world.payments(100);
    const change = { type: 'note', to: 'words text', up: `replace(note, '$1', 'payment')`, down: 'words' };
    const plan = await world.expanded({ ...centsSpec, changes: [change] });
    await world.backfill(plan);
    expect(await world.verify(plan)).toMatchObject({ seen: 100, wrong: 0 });
  } finally {
    await world.close();
  }
});

test('a worker that falls silent in a change keeps the table from nobody', async () => {
  const world = await SqlWorld.open();
  const proxy = await CuttingProxy.open(world.database.url);
  try {
    await world.payments(100);
    const plan = await world.plan();
    const [claim, expand] = forward(plan);
    if (claim === undefined || expand === undefined) throw new Error('every plan expands');
    await deliver(world.database.url, claim);
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    proxy.fate(({ sql }) => (sql.includes('ADD COLUMN') ? { after: gate } : 'pass'));
    const silent = deliver(proxy.url, expand);
    const application = await world.application();
    await application.query(`SET lock_timeout = '20s'`);
    for (let seen = false; !seen;) {
      await application.query('UPDATE payments SET amount = amount');
      const { rowCount } = await application.query(`SELECT 1 FROM payments p WHERE to_jsonb(p) ? 'amount_cents'`);
      seen = rowCount === 100;
      // a change gets its turn between two statements; an application without any pause could keep a slow machine from it
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(await deliver(world.database.url, expand, 2)).toMatchObject({ changed: false });
    open();
    expect(await silent).toMatchObject({ changed: true });
  } finally {
    await proxy.close();
    await world.close();
  }
});
