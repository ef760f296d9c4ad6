import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { countDifferences, lookAtSample, makeSample, openSample } from '../../tools/demo/sample-database.ts';
import { startTraffic, type Traffic } from '../../tools/demo/traffic.ts';
import { freshDatabase } from '../support/servers.ts';

const rows = 2_000;

describe('the sample database', () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let client: pg.Client;

  beforeEach(async () => {
    database = await freshDatabase();
    client = await openSample(database.superuserUrl);
  });
  afterEach(async () => {
    await client.end();
    await database.drop();
  });

  it('holds a table of about 100 bytes a row with two secondary indexes, a view and an equal twin', async () => {
    await makeSample(client, rows);

    const shape = await client.query<{ rows: string; bytes: number; indexes: string; views: string }>(
      `select (select count(*) from public.payments)::text as rows,
              pg_relation_size('public.payments')::float8 / $1 as bytes,
              (select count(*) from pg_index where indrelid = 'public.payments'::regclass)::text as indexes,
              (select count(*) from pg_views where viewname = 'payments_recent')::text as views`,
      [rows],
    );
    expect(shape.rows).toEqual([{ rows: '2000', bytes: expect.any(Number), indexes: '3', views: '1' }]);
    expect(shape.rows[0]?.bytes).toBeGreaterThan(80);
    expect(shape.rows[0]?.bytes).toBeLessThan(125);
    expect(await countDifferences(client)).toBe(0);
  });

  it('can be made anew over an earlier sample', async () => {
    await makeSample(client, rows);
    await client.query('delete from public.payments where id < 100');
    await makeSample(client, rows);

    expect(await countDifferences(client)).toBe(0);
    expect(await lookAtSample(client)).toEqual({ exists: true, hasAmount: true, hasCents: false });
  });

  it('leaves a table alone that somebody else has made', async () => {
    await client.query('create table public.payments (id bigint)');

    await expect(lookAtSample(client)).rejects.toThrow('was not made by this demo');
  });

  it.each([
    ['an amount that was changed behind the back', 'update public.payments set amount = amount + 1 where id <= 3', 3],
    ['rows that were lost', 'delete from public.payments where id <= 2', 2],
    ['a row that nobody wrote', `insert into public.payments (amount) values (1)`, 1],
    [
      'a new column that does not agree',
      'alter table public.payments add amount_cents bigint; update public.payments set amount_cents = round(amount * 100) - (id = 7)::int',
      1,
    ],
  ])('finds %s', async (_what, damage, differences) => {
    await makeSample(client, rows);
    await client.query(damage);

    expect(await countDifferences(client)).toBe(differences);
  });

  it('is made in a database that does not exist yet', async () => {
    const url = new URL(database.superuserUrl);
    url.pathname = `${url.pathname}_new`;
    const fresh = await openSample(url.href);
    try {
      const found = await fresh.query<{ name: string }>('select current_database() as name');
      expect(found.rows).toEqual([{ name: url.pathname.slice(1) }]);
    } finally {
      await fresh.end();
      await client.query(`drop database "${url.pathname.slice(1)}"`);
    }
  });
});

describe('the live traffic', () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let client: pg.Client;
  let traffic: Traffic | null = null;

  beforeEach(async () => {
    database = await freshDatabase();
    client = await openSample(database.superuserUrl);
    await makeSample(client, rows);
  });
  afterEach(async () => {
    await traffic?.stop();
    traffic = null;
    await client.end();
    await database.drop();
  });

  const start = async (released = 0): Promise<Traffic> => {
    traffic = await startTraffic({ databaseUrl: database.superuserUrl, instances: 4, perSecond: 400, released });
    return traffic;
  };
  const until = async (done: () => boolean): Promise<void> => {
    const startedAt = Date.now();
    while (!done()) {
      await sleep(20);
      if (Date.now() - startedAt > 20_000) throw new Error('the traffic did not come so far within 20 s');
    }
  };

  it('reads, inserts, updates, deletes and renames without an error, and its twin agrees afterwards', async () => {
    const running = await start();
    await until(() => running.figures().before.requests > 400);
    await running.stop();

    const { before } = running.figures();
    expect(before).toMatchObject({ errors: 0, wrongReads: 0, errorCodes: {} });
    expect(before.p50).toBeLessThanOrEqual(before.p99 ?? 0);
    expect(before.p99).toBeLessThanOrEqual(before.longest ?? 0);
    expect(await countDifferences(client)).toBe(0);
    const kinds = await client.query<{ inserted: boolean; deleted: boolean; touched: boolean }>(
      `select bool_or(id > $1) as inserted, count(*) filter (where id <= $1) < $1 as deleted,
              bool_or(note like '%looked at again') as touched from public.payments`,
      [rows],
    );
    expect(kinds.rows).toEqual([{ inserted: true, deleted: true, touched: true }]);
  });

  it('is spread over the second instead of sent at once', async () => {
    const running = await start();
    const startedAt = Date.now();
    await until(() => running.figures().before.requests >= 200);

    expect(Date.now() - startedAt).toBeGreaterThan(350);
  });

  it('counts what a lock of somebody else makes it lose, with its code and its stall', async () => {
    const running = await start();
    await client.query('begin; lock table public.payments in access exclusive mode');
    running.startPeriod('during');
    await until(() => running.figures().during.errors >= 4);
    await client.query('rollback');

    const { during } = running.figures();
    expect(Object.keys(during.errorCodes)).toEqual(['55P03']);
    expect(during.longest).toBeGreaterThan(950);
    await running.stop();
    expect(await countDifferences(client)).toBe(0);
  });

  it('writes cents with the instances that are released, and decimals with the others', async () => {
    await client.query(`
      alter table public.payments add amount_cents bigint, alter amount drop not null;
      update public.payments set amount_cents = round(amount * 100);
      create function sync() returns trigger language plpgsql as $$ begin
        if new.amount_cents is null or (tg_op = 'UPDATE' and new.amount is distinct from old.amount) then
          new.amount_cents := round(new.amount * 100);
        else new.amount := new.amount_cents / 100.0; end if;
        return new; end $$;
      create trigger sync before insert or update on public.payments for each row execute function sync();`);
    const running = await start();
    running.release(2);
    running.startPeriod('during');
    await until(() => running.figures().during.requests > 400);
    await running.stop();

    expect(running.figures().during).toMatchObject({ errors: 0, wrongReads: 0 });
    expect(await countDifferences(client)).toBe(0);
  });

  it('notices a read that does not agree with what was written', async () => {
    await client.query('update public.payments set amount = amount + 1');
    const running = await start();

    await until(() => running.figures().before.wrongReads > 0);
    expect(running.figures().before.errors).toBe(0);
  });

  it('goes on with a new connection when the server ends the old one', async () => {
    const running = await start();
    await until(() => running.figures().before.requests > 20);
    await client.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'checkout'`);
    await until(() => running.figures().before.errors > 0);
    const { requests } = running.figures().before;

    await until(() => running.figures().before.requests > requests + 100);
    await running.stop();
    expect(await countDifferences(client)).toBe(0);
  });
});
