import { centsSpec, SqlWorld } from '../../support/sql-world.ts';

test('a column with values and a default gives rows that are there their values, and new rows the default', async () => {
  const world = await SqlWorld.open();
  await world.payments(50);
  const plan = await world.expanded({
    ...centsSpec,
    changes: [{ add: 'flag text', up: 'upper(note)', default: `'none'` }],
  });
  await world.client.query('INSERT INTO payments (id, amount) VALUES (1000, 1)');
  await world.backfill(plan);
  expect(
    await world.rows(`SELECT DISTINCT flag FROM payments WHERE id <= 50 AND flag IS DISTINCT FROM upper(note)`),
  ).toEqual([]);
  expect(await world.rows('SELECT flag FROM payments WHERE id = 1000')).toEqual([{ flag: 'none' }]);
  await expect(world.verify(plan)).resolves.toMatchObject({ wrong: 0 });
  await world.close();
});
