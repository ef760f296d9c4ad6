import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { stringify } from 'yaml';
import { freePort } from '../../tools/ports.ts';
import { lakeshift } from '../cli/support/run.ts';
import { RealService } from '../support/real-service.ts';
import { freshDatabase, postgresUrl, temporalAddress } from '../support/servers.ts';
import type { TableSpec } from '../../contracts/spec.ts';
import { centsSpec } from '../support/sql-world.ts';

/** Stands in every value that nobody may see; letters alone, so that it survives any encoding but a cipher. */
const marker = 'qzplanted';

/** Everything that a payload or an attribute of a history holds, as text. */
function textOf(history: unknown): string {
  const payloads: string[] = [];
  const shell = JSON.stringify(history, (_, value: unknown) => {
    if (value instanceof Uint8Array) payloads.push(Buffer.from(value).toString('utf8'));
    return value;
  });
  return [shell, ...payloads].join('\n');
}

describe('what is planted in the rows, the addresses and the errors of a target', () => {
  const kept = new Map<string, string>();
  const phases: string[] = [];
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lakeshift-secrets-'));
    const log = await open(join(folder, 'log'), 'w');
    const [ledger, shop] = await Promise.all([freshDatabase(), freshDatabase()]);
    const admin = new pg.Client({ connectionString: shop.ownerUrl });
    await admin.connect();
    const superuser = new pg.Client({ connectionString: postgresUrl() });
    await superuser.connect();
    for (const { url } of [ledger, shop])
      await superuser.query(`ALTER ROLE ${new URL(url).username} PASSWORD '${marker}password'`);
    await superuser.end();
    const as = (url: string) => Object.assign(new URL(url), { password: `${marker}password` }).href;
    const drop = async (): Promise<void> => {
      await Promise.all([ledger.drop(), shop.drop()]);
    };
    const workerMetrics = `127.0.0.1:${await freePort()}`;
    const service = await RealService.start(
      {
        temporal: temporalAddress(),
        ledgerUrl: as(ledger.url),
        shopUrl: as(shop.url),
        shopOwnerUrl: shop.ownerUrl,
        drop,
      },
      { logLevel: 'debug', logTo: log.fd, workerMetrics },
    );
    const answers: string[] = [];
    const ids: string[] = [];
    const keep = async (path: string): Promise<void> => {
      answers.push(await (await fetch(`${service.address}${path}`)).text());
    };
    const said: string[] = [];
    const say = async (...args: string[]): Promise<void> => {
      const { out, err } = await lakeshift(args, { api: service.address, env: { LAKESHIFT_ACTOR: 'ada' } });
      said.push(out, err);
    };

    /** Deploys, approves what waits, and keeps whatever is answered on the way. */
    const deploy = async (spec: TableSpec): Promise<void> => {
      const file = join(folder, 'spec.yaml');
      await writeFile(file, stringify(spec));
      await say('plan', file, '--sql');
      answers.push(JSON.stringify((await service.post('/v1/plans', spec)).body));
      const { status } = await service.deploy(spec, spec.name);
      ids.push(status.id);
      for (;;) {
        const { phase } = (
          await service.reaches(
            status.id,
            ...['waiting-for-approval', 'deployed', 'rolled-back', 'refused', 'needs-attention'],
          )
        ).status;
        if (phase !== 'waiting-for-approval') break;
        await admin.query(`INSERT INTO payments (amount, note) VALUES (1, '${marker}late')`);
        await service.approve(status.id);
        await service.until('the approval to count', async () =>
          (await service.view(status.id)).status.phase === 'waiting-for-approval' ? null : true,
        );
      }
      phases.push((await service.view(status.id)).status.phase);
      for (const path of ['', '/report']) await keep(`/v1/deployments/${status.id}${path}`);
      await say('show', status.id);
      await say('report', status.id);
    };

    const stranger = new pg.Client({
      connectionString: shop.applicationUrl,
      application_name: `shop postgres://u:${marker}app@db/x password=${marker}`,
    });
    try {
      await service.payments(2_000);
      await admin.query(`UPDATE payments SET note = '${marker}' || id`);
      await stranger.connect();
      await stranger.query('BEGIN; SELECT 1 FROM payments LIMIT 1');

      // rows that can not be converted
      const toNumber = { type: 'note', to: 'number int', up: 'note::int', down: 'number::text' };
      await deploy({ ...centsSpec, name: 'refused', changes: [toNumber] });
      await stranger.query('COMMIT');

      // a trigger of the application that cries out what it sees, by every channel that an error has
      for (const [name, cry] of [
        [
          'raised',
          `RAISE EXCEPTION '% %', NEW.note, '${marker}' USING DETAIL = NEW.note, HINT = NEW.note, CONSTRAINT = NEW.note, COLUMN = NEW.note`,
        ],
        ['unknown', `EXECUTE format('SELECT %I', NEW.note)`],
        ['untyped', `PERFORM NEW.note::int`],
        ['exists', `EXECUTE format('CREATE TABLE %I (%I no_such)', NEW.note, NEW.note)`],
      ]) {
        await admin.query(
          `CREATE OR REPLACE FUNCTION cry() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${cry ?? ''}; RETURN NEW; END $$;
           DROP TRIGGER IF EXISTS cry ON payments;
           CREATE TRIGGER cry BEFORE UPDATE ON payments FOR EACH ROW WHEN (OLD.id = 700) EXECUTE FUNCTION cry()`,
        );
        await deploy({ ...centsSpec, name: `cries-${name ?? ''}`, onFailure: 'rollback' });
      }
      await admin.query('DROP TRIGGER cry ON payments');

      // a constraint that the backfill breaks
      await admin.query(
        `ALTER TABLE payments ADD CONSTRAINT no_marker CHECK (note NOT LIKE '${marker}%' OR id <> 800) NOT VALID`,
      );
      await deploy({ ...centsSpec, name: 'breaks', onFailure: 'rollback' });
      await admin.query('ALTER TABLE payments DROP CONSTRAINT no_marker');

      // and one that goes through, with rows on the way that the old shape can not hold
      await deploy({ ...centsSpec, name: 'through', contract: { after: '1s' } });

      for (const path of [
        '/v1/deployments',
        '/v1/targets',
        '/v1/catalog',
        '/health/ready',
        '/metrics',
        '/openapi.json',
      ])
        await keep(path);
      await say('list');
      await say('targets');
      answers.push(JSON.stringify((await service.post('/v1/plans', { ...centsSpec, target: 'nowhere' })).body));
      kept.set('metrics of the worker', await (await fetch(`http://${workerMetrics}/metrics`)).text());

      const connection = await Connection.connect({ address: temporalAddress() });
      const { workflow } = new Client({ connection });
      const histories: string[] = [];
      const queue = (await service.plan(ids[0] ?? '')).taskQueue;
      for await (const { workflowId, runId } of workflow.list({ query: `TaskQueue = '${queue}'` }))
        histories.push(textOf(await workflow.getHandle(workflowId, runId).fetchHistory()));
      await connection.close();
      expect(histories.length).toBeGreaterThan(ids.length);
      kept.set('histories', histories.join('\n'));
      kept.set('answers of the API', answers.join('\n'));
      kept.set('what the command line says', said.join('\n'));

      const book = new pg.Client({ connectionString: ledger.superuserUrl });
      await book.connect();
      const tables = await book.query<{ name: string }>(
        `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'lakeshift_ledger'`,
      );
      const pages: string[] = [];
      for (const { name } of tables.rows)
        pages.push(
          ...(await book.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`)).rows.map(({ row }) => row),
        );
      await book.end();
      kept.set('ledger', pages.join('\n'));
    } finally {
      await Promise.all([stranger.end(), admin.end()]);
      await service.stop();
      await log.close();
    }
    kept.set('logs', await readFile(join(folder, 'log'), 'utf8'));
  }, 300_000);
  afterAll(() => rm(folder, { recursive: true }));

  test('has been met on the way: one refused, five taken back, one that went through', () => {
    expect(phases).toEqual(['refused', ...Array.from({ length: 5 }, () => 'rolled-back'), 'deployed']);
  });

  test.each([
    'histories',
    'ledger',
    'logs',
    'metrics of the worker',
    'answers of the API',
    'what the command line says',
  ])('is not in the %s', (place) => {
    const text = kept.get(place) ?? '';
    expect(text.length).toBeGreaterThan(1_000);
    const at = text.indexOf(marker);
    expect(at === -1 ? null : text.slice(Math.max(0, at - 300), at + 100)).toBeNull();
    expect(text.includes(Buffer.from(marker).toString('base64').slice(0, 10))).toBe(false);
  });

  test('but what an operator needs is there: the key of the row, the name of the constraint, the code of the error', () => {
    expect(kept.get('ledger')).toContain('no_marker');
    expect(kept.get('ledger')).toContain('SQLSTATE');
    expect(kept.get('ledger')).toContain('CONVERSION_FAILS');
  });
});
