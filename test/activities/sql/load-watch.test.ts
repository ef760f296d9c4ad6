import { randomBytes } from 'node:crypto';
import { LoadWatch } from '../../../activities/sql/load-watch.ts';
import { SqlWorld, stageOf } from '../../support/sql-world.ts';

const role = `watch_${randomBytes(4).toString('hex')}`;

describe('a look at the load', () => {
  let world: SqlWorld;
  beforeEach(async () => {
    world = await SqlWorld.open();
    await world.payments(100);
  });
  afterEach(() => world.close());

  const watchAs = async (user?: string) => {
    const plan = await world.expanded();
    const at = new URL(world.database.url);
    if (user !== undefined) Object.assign(at, { username: user, password: 'plain' });
    const site = world.site();
    return new LoadWatch({ name: 'shop', url: at.href }, site, stageOf(plan, 'backfill'));
  };

  /** A session of that name that waits for a lock of a deployment; ends the waiting. */
  const blocked = async (where: SqlWorld, name: string): Promise<() => Promise<void>> => {
    const [holder, waiter] = [await where.application(), await where.application()];
    const update = 'UPDATE payments SET note = note WHERE id = 1';
    await holder.query(`SET application_name = 'lakeshift payments-cents-00000001 #9'; BEGIN; ${update}`);
    await waiter.query(`SET application_name = '${name}'`);
    const { rows } = await waiter.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const waits = waiter.query(update);
    const waiting = () => where.rows('SELECT 1 FROM pg_locks WHERE NOT granted AND pid = $1', [rows[0]?.pid ?? 0]);
    while ((await waiting()).length === 0);
    return async () => {
      await holder.query('COMMIT');
      await waits;
    };
  };

  test('sees everything as a role that may, a running checkpoint included', async () => {
    const watch = await watchAs();
    try {
      await watch.look();
      expect(watch.signals).toMatchObject({
        busy: { value: expect.any(Number) as number },
        lag: { value: { seconds: null, bytes: 0 } },
        waiting: { value: 0 },
        archiveFails: { value: false },
        commitMs: { value: expect.any(Number) as number },
      });
      expect(watch.signals.checkpoint?.value?.look.doing).not.toBeNull();
      expect(watch.counted).toEqual({ lockWaits: 0, deadlocks: 0 });
    } finally {
      await watch.close();
    }
  });

  test('of a role that may not see other sessions says unknown, never nobody', async () => {
    await world.superuser.query(
      `CREATE ROLE ${role} LOGIN PASSWORD 'plain'; DO $$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %I TO ${role}', current_database()); END $$`,
    );
    const watch = await watchAs(role);
    try {
      await watch.look();
      expect(watch.signals.busy.value).toBeNull();
      // the counters of the checkpointer are for everybody; one look alone says nothing
      expect(watch.signals.checkpoint?.value).toMatchObject({ running: null, look: { doing: null } });
      expect(watch.signals.checkpoint?.value?.look.redo).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/);
      expect(watch.signals.lag?.value).toEqual({ seconds: null, bytes: 0 });
      // our own schema is closed to it
      expect(watch.signals.commitMs).toBeDefined();
    } finally {
      await watch.close();
      await world.superuser.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  test('counts sessions that wait for a lock of ours', async () => {
    const watch = await watchAs();
    const end = await blocked(world, 'shop');
    try {
      await watch.look();
      expect(watch.signals.waiting?.value).toBe(1);
      expect(watch.counted.lockWaits).toBe(1);
    } finally {
      await end();
      await watch.close();
    }
  });

  test('counts no session of ours, and none of another database, where other deployments may be at work', async () => {
    const elsewhere = await SqlWorld.open();
    await elsewhere.payments(1);
    const watch = await watchAs();
    const ours = await blocked(world, 'lakeshift payments-cents-00000001 #8');
    const others = await blocked(elsewhere, 'shop');
    try {
      await watch.look();
      expect(watch.signals.waiting?.value).toBe(0);
      expect(watch.counted.lockWaits).toBe(0);
    } finally {
      await Promise.all([ours(), others()]);
      await watch.close();
      await elsewhere.close();
    }
  });

  test('that gets no answer leaves what was seen to grow old', async () => {
    const watch = await watchAs();
    try {
      await watch.look();
      const { at } = watch.signals.busy;
      await world.superuser.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'lakeshift %'`,
      );
      await watch.look();
      expect(watch.signals.busy.at).toBe(at);
      await watch.look();
      expect(watch.signals.busy.at).toBeGreaterThan(at);
    } finally {
      await watch.close();
    }
  });
});
