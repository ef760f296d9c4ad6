import { ProbeSource } from '../../../activities/metrics/probe.ts';
import type { Protection } from '../../../contracts/protection.ts';
import { centsSpec, SqlWorld, stageOf } from '../../support/sql-world.ts';

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 50));
};

/** A spec that says nothing of what is measured. */
const silent = { ...centsSpec, protect: {} };

describe('our own probe', () => {
  let world: SqlWorld;
  beforeEach(async () => {
    world = await SqlWorld.open();
    await world.payments(2_000);
  });
  afterEach(() => world.close());

  const inputOf = (protect: Protection | null | undefined) => {
    if (protect?.by.kind !== 'probe') throw new Error('no probe in this plan');
    const { prepare, keys, one, commit } = protect.by;
    return {
      url: world.database.url,
      applicationName: 'lakeshift probe',
      prepare: prepare.map(({ sql }) => sql),
      keys: keys.sql,
      one: one.sql,
      commit: commit === undefined ? null : { sql: commit.sql, deployment: world.site().deployment },
    };
  };

  test('is in a plan unless its spec says otherwise, with the bound in it', async () => {
    expect(stageOf(await world.plan(silent), 'backfill').protect).toMatchObject({ p99: 1.5, by: { kind: 'probe' } });
    const protect = { metrics: 'shop-prometheus', p99: '1.25x' };
    expect(stageOf(await world.plan({ ...centsSpec, protect }), 'backfill').protect).toEqual({
      p99: 1.25,
      by: { kind: 'metrics', source: 'shop-prometheus' },
    });
    const without = await world.plan({ ...centsSpec, protect: { probe: false } });
    expect(stageOf(without, 'backfill').protect).toBeNull();
  });

  test('measures single rows by key, without us and beside us, and comes back when its connection was lost', async () => {
    const source = new ProbeSource(inputOf(stageOf(await world.expanded(silent), 'backfill').protect), {
      alone: [],
      bursts: [],
    });
    try {
      source.turn('alone');
      await until(() => source.read(Date.now()).alone !== null);
      expect(source.read(Date.now())).toMatchObject({
        alone: { ms: expect.any(Number) as number },
        beside: null,
        blindBecause: null,
      });
      const asked = await world.rows<{ query: string }>(
        `SELECT query FROM pg_stat_activity WHERE application_name = 'lakeshift probe'`,
      );
      expect(asked.map(({ query }) => query).sort()).toEqual([
        expect.stringMatching(/^SELECT 1 FROM .+ FOR KEY SHARE$/),
        expect.stringContaining('WHERE "id" = $1::bigint'),
      ]);

      source.turn('bursts');
      await world.superuser.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lakeshift probe'`,
      );
      await until(() => source.pools.bursts.length > 20);
      expect(source.longestMs).toBeGreaterThan(0);
      source.forget();
      expect(source.pools.bursts).toEqual([]);
    } finally {
      await source.close();
    }
  });

  test('reads as the owner where our role may only SET ROLE to it', async () => {
    const guest = await SqlWorld.open({ inherit: false });
    try {
      await guest.payments(100);
      const input = { ...inputOf(stageOf(await guest.expanded(silent), 'backfill').protect), url: guest.database.url };
      const source = new ProbeSource(input, { alone: [], bursts: [] });
      source.turn('alone');
      await until(() => source.pools.alone.length > 0);
      await source.close();
    } finally {
      await guest.close();
    }
  });

  test('asks by place where there is no key', async () => {
    await world.client.query('ALTER TABLE payments DROP CONSTRAINT payments_pkey');
    const { one } = inputOf(stageOf(await world.plan(silent), 'backfill').protect);
    expect(one).toContain('WHERE ctid = $1::tid');
  });

  test('counts only what is surely of one kind', () => {
    const source = new ProbeSource(
      { url: 'postgres://127.0.0.1:1/none', applicationName: 'x', prepare: [], keys: '', one: '', commit: null },
      { alone: [], bursts: [] },
    );
    const from = Date.now();
    source.turn('alone');
    source.take([
      [from - 1_000, 1],
      [from + 10, 2],
      [from + 400, 3],
    ]);
    expect(source.pools.alone).toEqual([[from + 400, 3]]);
    return source.close();
  });
});
