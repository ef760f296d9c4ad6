import { Killable } from '../../support/killable.ts';
import { SqlWorld, stageOf } from '../../support/sql-world.ts';

const rows = 200_000;
const kills = 50;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('a backfill whose worker is killed fifty times writes each row once', async () => {
  const world = await SqlWorld.open();
  let next = new Killable();
  try {
    await world.payments(rows);
    const plan = await world.expanded();
    await world.client.query(
      `CREATE UNLOGGED TABLE touched (id bigint);
       CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO touched VALUES (NEW.id); RETURN NULL; END $$;
       CREATE TRIGGER touch AFTER UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION touch()`,
    );
    const chunks = async () =>
      Number((await world.rows<{ seq: string }>(`SELECT sum(seq) AS seq FROM lakeshift.progress`))[0]?.seq);
    const site = world.site();
    const input = { site, stage: { ...stageOf(plan, 'backfill'), rate: 25_000 }, rows };
    let inMidChunk = 0;
    for (let kill = 1; kill <= kills; kill++) {
      const worker = next;
      await worker.ready;
      const before = await chunks();
      const answer = worker.go(world.database.url, { name: 'backfill', input }, kill);
      next = new Killable();
      // one at any moment, the next one surely among its chunks
      if (kill % 2 === 0) while ((await chunks()) <= before) await pause(5);
      await pause(Math.random() * 120);
      worker.kill();
      expect(await answer).toBeNull();
      if ((await chunks()) > before) inMidChunk += 1;
    }
    expect(inMidChunk).toBeGreaterThanOrEqual(kills / 2);
    const last = { ...input, stage: stageOf(plan, 'backfill') };
    expect(await next.go(world.database.url, { name: 'backfill', input: last }, kills + 1)).toMatchObject({
      facts: { finished: true, rows },
    });
    expect(await world.rows('SELECT id FROM touched GROUP BY id HAVING count(*) > 1')).toEqual([]);
    expect(await world.rows('SELECT count(*)::int AS n FROM touched')).toEqual([{ n: rows }]);
    expect(await world.verify(plan)).toMatchObject({ seen: rows, wrong: 0 });
  } finally {
    next.kill();
    await world.close();
  }
}, 300_000);
