import type pg from 'pg';
import { SqlWorld, stageOf } from '../../support/sql-world.ts';

/** Locks two rows of one page in the order in which a chunk does not, holds them for a moment, and counts what fails. */
async function lockBackwards(
  client: pg.Client,
  first: number,
  felt: { done: number; errors: string[] },
  until: () => boolean,
) {
  while (!until()) {
    try {
      await client.query('BEGIN');
      await client.query('UPDATE payments SET note = note WHERE id = $1', [first + 1]);
      await new Promise((resolve) => setTimeout(resolve, 2));
      await client.query('UPDATE payments SET note = note WHERE id = $1', [first]);
      await client.query('COMMIT');
    } catch (error) {
      felt.errors.push(error instanceof Error ? error.message : String(error));
      await client.query('ROLLBACK');
    }
    felt.done += 1;
  }
}

test('an application that locks rows in the other order never loses a lock wait or a deadlock', async () => {
  const world = await SqlWorld.open();
  try {
    await world.payments(8_000);
    const plan = await world.expanded();
    const felt = { done: 0, errors: [] as string[] };
    let over = false;
    // an application may not set this one itself
    const { username } = new URL(world.database.applicationUrl);
    await world.superuser.query(`ALTER ROLE ${username} SET deadlock_timeout = '200ms'`);
    const clients = await Promise.all([0, 1, 2].map(() => world.application()));
    for (const client of clients) await client.query(`SET lock_timeout = '400ms'`);
    const applications = clients.map((client, index) => lockBackwards(client, 10 + index * 100, felt, () => over));
    const stage = { ...stageOf(plan, 'backfill'), rate: 4_000 };
    while (!(await world.run('backfill', { site: world.site(), stage, rows: 8_000 })).finished);
    over = true;
    await Promise.all(applications);
    expect(felt.errors).toEqual([]);
    expect(felt.done).toBeGreaterThan(100);
    expect(await world.verify(plan)).toMatchObject({ seen: 8_000, wrong: 0 });
  } finally {
    await world.close();
  }
});
