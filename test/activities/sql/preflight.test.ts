import type { Finding } from '../../../contracts/plan.ts';
import { judgePreflight } from '../../../decisions/judge-preflight.ts';
import { SqlWorld, stageOf } from '../../support/sql-world.ts';

describe('the preflight', () => {
  let world: SqlWorld;
  beforeEach(async () => {
    world = await SqlWorld.open();
    await world.payments(100);
  });
  afterEach(() => world.close());

  /** Makes the plan, then lets something happen, then looks. */
  async function findings(happens: string): Promise<readonly Finding[]> {
    const plan = await world.plan();
    await world.client.query(happens);
    const { looks } = stageOf(plan, 'preflight');
    return judgePreflight(
      plan,
      await world.run('look', { target: 'shop', statements: looks, mode: 'read-only' }),
      null,
    );
  }
  const codes = async (happens: string): Promise<string[]> =>
    (await findings(happens)).map(({ code, level }) => `${level} ${code}`);

  test('refuses nothing when nothing has changed, and says what it can not see', async () => {
    const found = await findings('SELECT 1');
    expect(found.filter(({ level }) => level === 'refused' || level === 'warned')).toEqual([]);
    expect(found).toContainEqual(expect.objectContaining({ level: 'unknown', code: 'READERS_UNSEEN' }));
  });

  test.each([
    [
      'the table is another one',
      'ALTER TABLE payments RENAME TO p; CREATE TABLE payments (LIKE p INCLUDING ALL)',
      'refused TABLE_CHANGED',
    ],
    ['the table is gone', 'DROP TABLE payments', 'refused PLAN_REFUSED'],
    [
      'a column has another type',
      'ALTER TABLE payments ALTER COLUMN amount TYPE numeric(20,4)',
      'refused COLUMN_CHANGED',
    ],
    ['the new column has come meanwhile', 'ALTER TABLE payments ADD COLUMN amount_cents text', 'refused PLAN_REFUSED'],
    [
      'a foreign key uses the old column',
      'CREATE TABLE a (n numeric(12,2) PRIMARY KEY); INSERT INTO a SELECT DISTINCT amount FROM payments; ALTER TABLE payments ADD FOREIGN KEY (amount) REFERENCES a',
      'refused PLAN_REFUSED',
    ],
    ['a view reads the old column', 'CREATE VIEW v AS SELECT amount FROM payments', 'warned VIEW_READS_OLD'],
    [
      'somebody has a trigger',
      'CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$; CREATE TRIGGER t BEFORE UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION f()',
      'warned OTHER_TRIGGER',
    ],
    ['the table is published', 'CREATE PUBLICATION p FOR TABLE payments', 'noted PUBLISHED'],
    ['another table points here', 'CREATE TABLE b (id bigint REFERENCES payments)', 'noted REFERENCED'],
    ["the table's row type is used", 'CREATE TABLE c (p payments)', 'warned ROW_TYPE'],
  ])('says so when %s', async (_, happens, expected) => {
    expect(await codes(happens)).toContain(expected);
  });

  test('sees a transaction that has been open for long', async () => {
    const plan = await world.plan();
    const { looks } = stageOf(plan, 'preflight');
    const statements = looks.map((look) => ({
      ...look,
      sql: look.sql.replace(`interval '30 seconds'`, `interval '0 seconds'`),
    }));
    const application = await world.application();
    await application.query(`SET application_name = 'shop postgres://u:planted@h'; BEGIN; SELECT 1 FROM payments`);
    const seen = await world.run('look', { target: 'shop', statements, mode: 'read-only' });
    await application.query('ROLLBACK');
    const found = judgePreflight(plan, seen, null).filter(({ code }) => code === 'LONG_TRANSACTION');
    expect(JSON.stringify(found)).toContain('a transaction of shop postgres');
    expect(JSON.stringify(seen)).not.toContain('planted');
    expect(JSON.stringify(found)).toContain('holds the table');
  });
});
