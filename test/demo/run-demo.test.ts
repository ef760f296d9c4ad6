import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PassThrough } from 'node:stream';
import type pg from 'pg';
import type { Status } from '../../contracts/progress.ts';
import { makeSample, openSample } from '../../tools/demo/sample-database.ts';
import { runDemo } from '../../tools/demo/run-demo.ts';
import { type FakeApi, ok, startFakeApi } from '../cli/support/fake-api.ts';
import { aPlan, aProgress, aReport, aStage, aStatus, aView, anEnd } from '../cli/support/fixtures.ts';
import { freshDatabase } from '../support/servers.ts';

const id = 'payments-cents-1a2b3c4d';
const one = `/v1/deployments/${id}`;

const expand = `
  alter table public.payments add amount_cents bigint, alter amount drop not null;
  create function demo_sync() returns trigger language plpgsql as $$ begin
    if new.amount_cents is null or (tg_op = 'UPDATE' and new.amount is distinct from old.amount) then
      new.amount_cents := round(new.amount * 100);
    else new.amount := new.amount_cents / 100.0; end if;
    return new; end $$;
  create trigger demo_sync before insert or update on public.payments for each row execute function demo_sync();
  update public.payments set amount_cents = round(amount * 100);`;
const contract = 'drop trigger demo_sync on public.payments; alter table public.payments drop column amount';

/** In one transaction, and never long in the way of the application, whose patience ends after a second. */
async function gently(client: pg.Client, sql: string): Promise<void> {
  for (;;) {
    try {
      await client.query(`set local lock_timeout = '50ms'; ${sql}`);
      return;
    } catch (error) {
      // 55P03: the lock was not to be had
      if (!(error instanceof Error) || !('code' in error) || error.code !== '55P03') throw error;
    }
  }
}

/** A service that does the change in the simplest way: each approval lets it take the next step at once. */
class SimpleService {
  readonly approvals: { by: string | undefined; body: Record<string, unknown> }[] = [];
  step: 'none' | 'cutover' | 'contract' | 'end' = 'none';
  private readonly client: pg.Client;
  private readonly spoil: string;

  constructor(client: pg.Client, spoil = 'select 1') {
    this.client = client;
    this.spoil = spoil;
  }

  async start(): Promise<FakeApi> {
    const created = async (): Promise<void> => {
      await gently(this.client, expand);
      this.step = 'cutover';
    };
    return startFakeApi({
      'GET /v1/deployments': () => ({
        status: 200,
        body: { deployments: this.step === 'none' || this.step === 'end' ? [] : [{ id }], next: null },
      }),
      'POST /v1/plans': ok({ plan: aPlan() }),
      'POST /v1/deployments': (_seen, response) => {
        void created().then(() => response.writeHead(201).end(JSON.stringify(aView(this.status()))));
        return undefined;
      },
      [`GET ${one}`]: () => ({ status: 200, body: aView(this.status(), { seq: Date.now() }) }),
      [`GET ${one}/report`]: ok(aReport()),
      [`POST ${one}/approve`]: ({ headers, body }, response) => {
        const by = headers['x-lakeshift-actor'];
        this.approvals.push({ by: String(by), body: JSON.parse(body) as Record<string, unknown> });
        void this.approved().then(() => response.writeHead(200).end(JSON.stringify(aView(this.status()))));
        return undefined;
      },
    });
  }

  private async approved(): Promise<void> {
    if (this.step === 'contract') await gently(this.client, `${contract}; ${this.spoil}`);
    this.step = this.step === 'cutover' ? 'contract' : 'end';
  }

  private status(): Status {
    if (this.step === 'end') return anEnd('deployed');
    if (this.step === 'none') return aStatus();
    const at = this.step === 'cutover' ? 4 : 6;
    const progress = aProgress(at, { waitingFor: { what: 'approval', stage: this.step, detail: 'any approver' } });
    // The grace began long enough ago that all instances have been released.
    const stages = progress.stages.map((stage) =>
      stage.name === 'grace' && at === 6 ? aStage('grace', 'done', { beganAt: Date.now() - 60_000 }) : stage,
    );
    return aStatus({ phase: 'waiting-for-approval', stage: this.step, progress: { ...progress, stages } });
  }
}

describe('the demo', () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let client: pg.Client;
  let api: FakeApi | null = null;

  beforeEach(async () => {
    database = await freshDatabase();
    client = await openSample(database.ownerUrl);
  });
  afterEach(async () => {
    await api?.close();
    api = null;
    await client.end();
    await database.drop();
  });

  async function play(service: SimpleService, signal?: AbortSignal): Promise<{ code: number; shown: string }> {
    api ??= await service.start();
    const out = new PassThrough({ encoding: 'utf8' });
    const chunks: string[] = [];
    out.on('data', (text: string) => chunks.push(text));
    const options = { apiUrl: api.address, databaseUrl: database.ownerUrl, out, rows: 3_000, baselineMs: 300 };
    const code = await runDemo({ ...options, ...(signal === undefined ? {} : { signal }) });
    return { code, shown: chunks.join('') };
  }

  it('makes the table, approves as demo what is asked for, and ends with 0 errors and 0 rows that differ', async () => {
    const service = new SimpleService(client);
    const { code, shown } = await play(service);

    expect(shown).toContain('3,000 rows');
    expect(shown).toMatch(/the demo for 5 seconds/);
    expect(shown).toMatch(/✋ cutover approved by demo[^]*✋ contract approved by demo/);
    expect(shown).toMatch(/errors +0 +0\n/);
    expect(shown).toMatch(/: 0 rows differ/);
    expect(code).toBe(0);
    expect(service.approvals.map(({ by, body }) => [by, body['stage'], body['planHash']])).toEqual([
      ['demo', 'cutover', aPlan().hash],
      ['demo', 'contract', aPlan().hash],
    ]);
    expect(api?.seen.filter(({ path }) => path === '/v1/plans')[0]?.body).toContain('"after":"5s"');
  });

  it('ends with 1 when one row differs', async () => {
    const spoil =
      'update public.payments set amount_cents = amount_cents + 1 where id = (select min(id) from public.payments)';
    const { code, shown } = await play(new SimpleService(client, spoil));
    expect(shown).toMatch(/: 1 row differs/);
    expect(code).toBe(1);
  });

  it('goes on with the deployment that an interrupted demo has begun, on the same table', async () => {
    const service = new SimpleService(client);
    api = await service.start();
    await makeSample(client, 3_000);
    await client.query(expand);
    service.step = 'cutover';
    const { code, shown } = await play(service);

    expect(shown).toContain(`going on with ${id}`);
    expect(shown).not.toContain('sample table public.payments:');
    expect(api.seen.some(({ method, path }) => method === 'POST' && path === '/v1/deployments')).toBe(false);
    expect(shown).toMatch(/errors +0 +0\n/);
    expect(code).toBe(0);
  });

  it('stops its application when it is interrupted', async () => {
    const interrupt = new AbortController();
    const service = new SimpleService(client);
    const playing = play(service, interrupt.signal);
    while (service.step === 'none') await new Promise((resolve) => setTimeout(resolve, 10));
    interrupt.abort();

    await expect(playing).rejects.toThrow();
    const left = await client.query(
      `select 1 from pg_stat_activity where application_name = 'checkout' and datname = current_database()`,
    );
    expect(left.rows).toEqual([]);
  });
});
