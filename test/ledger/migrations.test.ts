import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import pg from 'pg';
import {
  connectLedger,
  createLedgerReader,
  LedgerRefusal,
  ledgerVersion,
  migrateLedger,
  moveLedger,
  type Ledger,
} from '../../ledger/index.ts';
import { migrationsIn } from '../../ledger/migrate.ts';
import { migrations } from '../../ledger/migrations/index.ts';
import { startServiceProcess } from '../../tools/processes/service-process.ts';
import { lakeshift } from '../cli/support/run.ts';
import { freshDatabase, temporalAddress } from '../support/servers.ts';
import { contentOf, fillLedger, tellingWriter } from './support.ts';

const names = Object.keys(migrations);
const latest = names.length;

let database: Awaited<ReturnType<typeof freshDatabase>>;
let ledger: Ledger;
let folder: string;
let env: NodeJS.ProcessEnv;
beforeEach(async () => {
  database = await freshDatabase();
  ledger = connectLedger(database.url);
  folder = await mkdtemp(join(tmpdir(), 'lakeshift-ledger-'));
  await writeFile(
    join(folder, 'lakeshift.yaml'),
    'ledger: { url: "${env:LEDGER_URL}" }\napi: { open: true, port: 0 }\napprovals: { trustTemporal: true }\n',
  );
  env = {
    PATH: process.env['PATH'],
    LAKESHIFT_CONFIG: join(folder, 'lakeshift.yaml'),
    LEDGER_URL: database.url,
    TEMPORAL_ADDRESS: temporalAddress(),
  };
});
afterEach(async () => {
  await ledger.destroy();
  await database.drop();
  await rm(folder, { recursive: true });
});

const migrate = (...args: readonly string[]) => lakeshift(['ledger', 'migrate', ...args], { env });

/** Tables, columns, keys and indexes, without what is put aside. */
async function formOf(): Promise<readonly unknown[]> {
  const { rows } = await sql`
    select table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || coalesce(column_default, '') as it
    from information_schema.columns where table_schema = 'lakeshift_ledger' and table_name not like 'aside%'
    union all
    select indexdef from pg_indexes where schemaname = 'lakeshift_ledger' and tablename not like 'aside%'
    union all
    select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
    where connamespace = 'lakeshift_ledger'::regnamespace and conrelid::regclass::text not like '%aside%'
    order by 1`.execute(ledger);
  return rows;
}

test('migrations are numbered from 1 without a gap, and each can be taken back', () => {
  expect(names.map((name) => Number(name.slice(0, 4)))).toEqual(names.map((_, index) => index + 1));
  expect(ledgerVersion()).toBe(latest);
});

test.each(names.map((name, index) => [name, index + 1] as const))(
  '%s back and forth leaves the form of an empty ledger as it was',
  async (name, number) => {
    await moveLedger(ledger, number);
    const form = await formOf();
    await moveLedger(ledger, number - 1);
    const before = await formOf();
    expect(before).not.toEqual(form);
    expect(await moveLedger(ledger, number)).toEqual([{ name, direction: 'up' }]);
    expect(await formOf()).toEqual(form);
    await moveLedger(ledger, number - 1);
    expect(await formOf()).toEqual(before);
  },
);

test('a full ledger goes back to its first form and forwards again without losing a row', async () => {
  await migrateLedger(ledger);
  await fillLedger(tellingWriter(ledger, 'ops'));
  const content = await contentOf(ledger);
  expect(Object.entries(content).filter(([, rows]) => rows.length === 0)).toEqual([]);
  expect(await migrate('--to', '1')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/taken back {2}0002-plans[^]*put aside/) as unknown,
  });
  expect(await migrationsIn(ledger)).toEqual(['0001-deployments']);
  // what the older form knows is as it was, and can be read and written
  expect(await contentOf(ledger)).toEqual(
    Object.fromEntries(Object.entries(content).filter(([table]) => table !== 'plans' && table !== 'outbox')),
  );
  expect(await createLedgerReader(ledger).find('kept-00000001')).not.toBeNull();
  expect(await migrate()).toMatchObject({ code: 0, out: `done  0002-plans\ndone  0003-outbox\n` });
  expect(await contentOf(ledger)).toEqual(content);
  expect(await migrate('--json')).toMatchObject({
    out: JSON.stringify({ moves: [], version: latest }, null, 2) + '\n',
  });
});

test('a ledger with deployments is not taken back behind the first migration; an empty one is', async () => {
  await migrateLedger(ledger);
  expect((await migrate('--to', '0')).code).toBe(0);
  await migrateLedger(ledger);
  await fillLedger(tellingWriter(ledger, 'ops'), 1);
  const content = await contentOf(ledger);
  expect(await migrate('--to', '0')).toMatchObject({
    code: 2,
    err: expect.stringContaining('holds deployments') as unknown,
  });
  expect(await contentOf(ledger)).toEqual(content);
});

test.each([
  ['one that does not exist', ['--to', String(latest + 1)], /knows the migrations 1 to \d+, not/],
  ['a word', ['--to', 'latest'], /number of a migration/],
])('%s is refused', async (_, args, said) => {
  const { code, err } = await migrate(...args);
  expect([code, err]).toEqual([2, expect.stringMatching(said)]);
});

describe('a ledger of a newer version', () => {
  const newer = async (): Promise<void> => {
    await migrateLedger(ledger);
    await sql`insert into lakeshift_ledger.kysely_migration values ('9999-later', '2100-01-01T00:00:00.000Z')`.execute(
      ledger,
    );
  };

  test.each(['api/server.ts', 'worker/main.ts'] as const)(
    'keeps %s from starting, with one line that says why',
    async (file) => {
      await newer();
      const service = startServiceProcess(file, env);
      await expect(service.ready).rejects.toThrow(
        /ended with 1: [^\n]*the ledger is of a newer version \(9999-later\)[^\n]*migrate --to \d+\n$/,
      );
      await service.stop();
    },
  );

  test('is neither migrated nor backed up by this one, and says how it comes back', async () => {
    await newer();
    await expect(migrateLedger(ledger)).rejects.toThrow(LedgerRefusal);
    expect(await migrate()).toMatchObject({
      code: 2,
      err: expect.stringContaining(`migrate --to ${latest}`) as unknown,
    });
    expect((await lakeshift(['ledger', 'backup', join(folder, 'backup')], { env })).code).toBe(2);
  });
});

test('a process that is killed in the middle of a migration leaves nothing half done, and the next one is not kept waiting', async () => {
  await sql`create schema lakeshift_ledger`.execute(ledger);
  // Somebody else is about to create the table of the last migration: ours comes so far, and no further.
  const other = new pg.Client({ connectionString: database.url });
  await other.connect();
  await other.query('begin; create table lakeshift_ledger.plans (hash text primary key)');
  const cli = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
  const child = spawn(process.execPath, [cli, 'ledger', 'migrate'], { env, stdio: 'ignore' });
  const ended = once(child, 'exit');
  // asked by another session: within one transaction the answer stays the same
  const waits = async (): Promise<boolean> => {
    const { rows } = await sql`
      select from pg_stat_activity where wait_event_type = 'Lock'
      and query like 'create table lakeshift_ledger.plans%' and datname = current_database()`.execute(ledger);
    return rows.length === 1;
  };
  while (!(await waits())) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGKILL');
  await ended;
  const next = migrateLedger(ledger);
  await other.query('rollback');
  await other.end();
  expect(await next).toEqual(names);
  expect(await migrate()).toMatchObject({ code: 0, out: expect.stringContaining('nothing to do') as unknown });
}, 60_000);

test('many processes that start at the same moment migrate once, forwards and back', async () => {
  const many = Array.from({ length: 5 }, () => connectLedger(database.url, { connections: 2 }));
  const up = await Promise.all(many.map((each) => migrateLedger(each)));
  expect(up.flat()).toEqual(names);
  const down = await Promise.all(many.map((each) => moveLedger(each, 1)));
  expect(down.flat()).toEqual(
    names
      .slice(1)
      .toReversed()
      .map((name) => ({ name, direction: 'down' })),
  );
  await Promise.all(many.map((each) => each.destroy()));
});
