import type pg from 'pg';
import { SqlWorld, stageOf } from '../../support/sql-world.ts';

/**
 * Applications of the old and the new version write at random while a change goes through all its stages; a twin table
 * gets every write in the same transaction. At the end both hold the same rows, and no statement has failed.
 */
test('no row is lost or different from its twin, whatever the application does during all of it', async () => {
  const world = await SqlWorld.open();
  try {
    await world.payments(20_000);
    await world.client.query(
      'CREATE TABLE twin AS SELECT id, (amount * 100)::bigint AS cents FROM payments; ALTER TABLE twin ADD PRIMARY KEY (id)',
    );
    const app = { stop: false, newVersion: false, statements: 0, errors: [] as string[] };
    const clients = [await world.application(), await world.application(), await world.application()];
    const running = clients.map((client, index) => write(client, index, app));

    const plan = await world.expanded();
    // in slices this short nobody could measure what the application feels, and each would wait for that
    const stage = { ...stageOf(plan, 'backfill'), protect: null, rate: 8_000, sliceMs: 700 };
    while (!(await world.run('backfill', { site: world.site(), stage, rows: 20_000 })).finished);
    expect(await world.verify(plan)).toMatchObject({ wrong: 0 });
    app.newVersion = true;
    await world.run('alter', { site: world.site(), stage: 'cutover', alteration: stageOf(plan, 'cutover').perform });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await world.verify(plan)).toMatchObject({ wrong: 0 });
    for (const alteration of stageOf(plan, 'cutover').undo)
      await world.run('alter', { site: world.site(), stage: 'cutover', alteration });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await world.run('alter', { site: world.site(), stage: 'cutover', alteration: stageOf(plan, 'cutover').perform });
    app.stop = true;
    await Promise.all(running);

    expect(await world.verify(plan)).toMatchObject({ wrong: 0 });
    expect(app.errors).toEqual([]);
    expect(app.statements).toBeGreaterThan(500);
    const compared =
      await world.rows(`SELECT coalesce(p.id, t.id) AS id, p.amount_cents, t.cents, p.amount FROM payments p FULL JOIN twin t USING (id)
      WHERE p.amount_cents IS DISTINCT FROM t.cents OR p.amount IS DISTINCT FROM t.cents / 100.0`);
    expect(compared).toEqual([]);
  } finally {
    await world.close();
  }
});

interface App {
  stop: boolean;
  newVersion: boolean;
  statements: number;
  errors: string[];
}

/** One client works on its own ids (modulo the number of clients), so that the twin knows the order of its writes. */
async function write(client: pg.Client, index: number, app: App): Promise<void> {
  await client.query(`SET lock_timeout = '500ms'; SET statement_timeout = '2s'`);
  let next = 1_000_000 + index;
  while (!app.stop) {
    const id = Math.floor(Math.random() * 6_000) * 3 + index;
    const cents = Math.floor(Math.random() * 1_000_000);
    const fresh = app.newVersion && index === 1;
    const [column, value] = fresh ? ['amount_cents', String(cents)] : ['amount', `${cents} / 100.0`];
    const writes: readonly (readonly [string, string])[] = [
      [
        `UPDATE payments SET ${column} = ${value} WHERE id = ${id}`,
        `UPDATE twin SET cents = ${cents} WHERE id = ${id}`,
      ],
      [
        `INSERT INTO payments (id, ${column}) VALUES (${next}, ${value})`,
        `INSERT INTO twin VALUES (${next}, ${cents})`,
      ],
      [`DELETE FROM payments WHERE id = ${id}`, `DELETE FROM twin WHERE id = ${id}`],
      [`UPDATE payments SET note = repeat('x', ${cents % 300}) WHERE id = ${id}`, 'SELECT 1'],
      [`UPDATE payments SET id = ${next} WHERE id = ${id}`, `UPDATE twin SET id = ${next} WHERE id = ${id}`],
    ];
    next += 3;
    const [mine, twins] = writes[Math.floor(Math.random() * writes.length)] ?? ['SELECT 1', 'SELECT 1'];
    try {
      await client.query(`BEGIN; ${mine}; ${twins}; COMMIT`);
    } catch (error) {
      app.errors.push(error instanceof Error ? error.message : String(error));
      await client.query('ROLLBACK');
    }
    app.statements += 1;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
