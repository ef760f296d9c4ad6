import pg from 'pg';
import type { Finding, TablePlan } from '../../contracts/plan.ts';
import { judgePreflight } from '../../decisions/judge-preflight.ts';
import { centsSpec, SqlWorld, stageOf } from '../support/sql-world.ts';

let world: SqlWorld;
beforeEach(async () => {
  world = await SqlWorld.open();
  await world.payments(3_000);
});
afterEach(() => world.close());

/** What became of one request: ok, or the SQLSTATE. */
const tried = (request: Promise<unknown>): Promise<string> =>
  request.then(
    () => 'ok',
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : 'unknown'),
  );

async function alter(plan: TablePlan, stage: 'expand' | 'cutover' | 'contract'): Promise<void> {
  await world.run('alter', { site: world.site(), stage, alteration: stageOf(plan, stage).perform });
}

/** The stages one after the other; between them the application has its say. */
async function through(say: (stage: string) => Promise<void>): Promise<void> {
  const plan = await world.plan();
  await world.run('claim', { site: world.site(), plan });
  await say('before');
  await alter(plan, 'expand');
  await say('expand');
  await world.backfill(plan);
  await say('backfill');
  await alter(plan, 'cutover');
  await say('cutover');
  await alter(plan, 'contract');
  await say('contract');
}

async function findings(): Promise<readonly Finding[]> {
  const plan = await world.plan();
  const looks = await world.run('look', {
    target: 'shop',
    statements: stageOf(plan, 'preflight').looks,
    mode: 'read-only',
  });
  return judgePreflight(plan, looks, null);
}

describe('an application with prepared statements that it holds for the whole deployment', () => {
  const statements: Readonly<Record<string, { text: string; values: () => unknown[] }>> = {
    'reads its columns': { text: 'SELECT id, note FROM payments WHERE id = $1', values: () => [7] },
    'inserts named columns': { text: 'INSERT INTO payments (note) VALUES ($1)', values: () => ['new'] },
    'updates and returns its columns': {
      text: 'UPDATE payments SET note = $1 WHERE id = 8 RETURNING id, note',
      values: () => ['other'],
    },
    deletes: { text: 'DELETE FROM payments WHERE id = $1', values: () => [9] },
    'reads *': { text: 'SELECT * FROM payments WHERE id = $1', values: () => [7] },
    'returns *': { text: 'UPDATE payments SET note = $1 WHERE id = 8 RETURNING *', values: () => ['more'] },
    'reads a table.*, as some mappers do': {
      text: 'SELECT "payments".* FROM "payments" WHERE id = $1',
      values: () => [7],
    },
  };
  let application: pg.Client;
  beforeEach(async () => {
    application = await world.application();
    await world.client.query('ALTER TABLE payments ALTER COLUMN amount SET DEFAULT 1');
  });

  test('notices nothing where it lists its columns, and loses each statement with * twice: at expand and at contract', async () => {
    const said: Record<string, string[]> = {};
    let generation = 0;
    await through(async () => {
      for (const [name, { text, values }] of Object.entries(statements)) {
        const mine = (said[name] ??= []);
        const first = await tried(application.query({ name: `${name} ${generation}`, text, values: values() }));
        const again = await tried(application.query({ name: `${name} ${generation}`, text, values: values() }));
        mine.push(first === again ? first : `${first}, then ${again}`);
      }
      // what was prepared fails until it is prepared anew
      if (Object.values(said).some((answers) => answers.at(-1) !== 'ok')) {
        generation += 1;
        for (const [name, { text, values }] of Object.entries(statements)) {
          expect(await tried(application.query({ name: `${name} ${generation}`, text, values: values() }))).toBe('ok');
        }
      }
    });
    const fine = ['ok', 'ok', 'ok', 'ok', 'ok'];
    const twice = ['ok', '0A000', 'ok', 'ok', '0A000'];
    expect(said).toEqual({
      'reads its columns': fine,
      'inserts named columns': fine,
      'updates and returns its columns': fine,
      deletes: fine,
      'reads *': twice,
      'returns *': twice,
      'reads a table.*, as some mappers do': twice,
    });
  });

  test('without names on the wire notices nothing, even with *', async () => {
    const said: string[] = [];
    await through(async () => {
      for (const { text, values } of Object.values(statements))
        said.push(await tried(application.query(text, values())));
    });
    expect(new Set(said)).toEqual(new Set(['ok']));
  });
});

describe('an application that copies', () => {
  const copy = (columns: string, line: string) =>
    tried(world.superuser.query(`COPY payments ${columns} FROM PROGRAM 'printf "${line}\\\\n"' (FORMAT csv)`));

  test('notices nothing where it names the columns, and the rows have both shapes', async () => {
    const said: string[] = [];
    await through(async (stage) => {
      const columns = stage === 'contract' ? '(amount_cents, note)' : '(amount, note)';
      said.push(await copy(columns, stage === 'contract' ? '1250,copied' : '12.50,copied'));
    });
    expect(said).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
    expect(await world.rows(`SELECT DISTINCT amount_cents FROM payments WHERE note = 'copied'`)).toEqual([
      { amount_cents: '1250' },
    ]);
  });

  test('without a list of columns fails from expand on, as preflight says of statements that it sees', async () => {
    const said: string[] = [];
    let id = 100_000;
    await through(async () => void said.push(await copy('', `${id++},12.50,copied`)));
    expect(said).toEqual(['ok', '22P04', '22P04', '22P04', '22P02']);
  });
});

describe('an application with a snapshot of its own', () => {
  const isolations = ['REPEATABLE READ', 'SERIALIZABLE'] as const;

  /** A transaction that has its snapshot before the backfill, and does its work after it. */
  async function across(isolation: string, work: string): Promise<string> {
    const plan = await world.expanded();
    const application = await world.application();
    await application.query(`BEGIN ISOLATION LEVEL ${isolation}; SELECT count(*) FROM payments`);
    await world.backfill(plan);
    const answer = await tried(application.query(work).then(() => application.query('COMMIT')));
    await application.query('ROLLBACK').catch(() => undefined);
    return answer;
  }

  test.each(isolations)(
    'gets 40001 under %s when it updates a row that was rewritten since, and succeeds when it repeats',
    async (isolation) => {
      expect(await across(isolation, `UPDATE payments SET note = 'x' WHERE id = 5`)).toBe('40001');
      const application = await world.application();
      expect(
        await tried(
          application.query(`BEGIN ISOLATION LEVEL ${isolation}; UPDATE payments SET note = 'x' WHERE id = 5; COMMIT`),
        ),
      ).toBe('ok');
    },
  );

  test.each(isolations)('reads on undisturbed under %s', async (isolation) => {
    expect(await across(isolation, 'SELECT sum(amount) FROM payments')).toBe('ok');
  });

  test.each(isolations)('inserts on undisturbed under %s', async (isolation) => {
    expect(await across(isolation, `INSERT INTO payments (amount, note) VALUES (1, 'new')`)).toBe('ok');
  });

  test.each([...isolations, 'READ COMMITTED'])('refers under %s to rows that were rewritten', async (isolation) => {
    await world.client.query('CREATE TABLE refunds (payment bigint REFERENCES payments)');
    expect([isolation, await across(isolation, 'INSERT INTO refunds VALUES (5)')]).toEqual([isolation, 'ok']);
  });

  test('notices nothing under READ COMMITTED', async () => {
    expect(await across('READ COMMITTED', `UPDATE payments SET note = 'x' WHERE id = 5`)).toBe('ok');
  });

  test('is told of it by preflight: noted, and warned of where the database says that it is the rule', async () => {
    const level = async () => (await findings()).find(({ code }) => code === 'SNAPSHOT_WRITERS')?.level;
    expect(await level()).toBe('noted');
    await world.superuser.query(
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = ''repeatable read''', current_database()); END $$`,
    );
    expect(await level()).toBe('warned');
  });
});

describe('an application that never waits for a row', () => {
  /** A chunk that is at work: its rows are locked until the test lets it end. */
  async function chunkAtWork(): Promise<pg.Client> {
    const plan = await world.expanded();
    const { chunk, session } = stageOf(plan, 'backfill');
    const worker = new pg.Client({ connectionString: world.database.url });
    await worker.connect();
    for (const { sql } of session) await worker.query(sql);
    await worker.query('BEGIN');
    const rows = await world.rows(`SELECT seq, fence FROM lakeshift.progress WHERE stage = 'backfill'`);
    const at = rows[0];
    await worker.query(chunk.sql.replace('{part}', 'true'), [
      'payments-cents-00000001',
      0,
      at?.['seq'],
      at?.['fence'],
      4,
      0,
      '(0,0)',
      '(4,0)',
    ]);
    return worker;
  }

  test('meets our locks with NOWAIT, passes our rows over with SKIP LOCKED, and finds both again after the chunk', async () => {
    const worker = await chunkAtWork();
    const application = await world.application();
    const nowait = () => tried(application.query('SELECT id FROM payments WHERE id = 3 FOR UPDATE NOWAIT'));
    const skip = async () =>
      (await application.query('SELECT id FROM payments WHERE id <= 5 FOR UPDATE SKIP LOCKED')).rows.length;
    expect([await nowait(), await skip()]).toEqual(['55P03', 0]);
    expect(await tried(application.query('SELECT id FROM payments WHERE id = 3 FOR KEY SHARE NOWAIT'))).toBe('ok');
    await worker.query('COMMIT');
    await worker.end();
    expect([await nowait(), await skip()]).toEqual(['ok', 5]);
  });

  test('is told of it by preflight', async () => {
    expect((await findings()).find(({ code }) => code === 'ROW_LOCKS')).toMatchObject({ level: 'noted' });
  });

  test('is told nothing of either where no row is rewritten', async () => {
    const codes = (await world.plan({ ...centsSpec, changes: [{ add: 'extra text' }] })).findings.map(
      ({ code }) => code,
    );
    expect(codes).not.toEqual(expect.arrayContaining(['ROW_LOCKS']));
    expect(codes).not.toEqual(expect.arrayContaining(['SNAPSHOT_WRITERS']));
  });
});
