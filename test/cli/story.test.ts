import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { stringify } from 'yaml';
import type { DeploymentView } from '../../contracts/api.ts';
import { lakeshift, type Ran } from './support/run.ts';
import { RealService } from '../support/real-service.ts';

const spec = {
  name: 'story-cents',
  strategy: 'expand-contract',
  target: 'shop',
  table: 'public.payments',
  changes: [{ type: 'amount', to: 'amount_cents bigint', up: 'round(amount * 100)', down: 'amount_cents / 100.0' }],
  cutover: { approve: 'dba' },
  contract: { after: '1s', approve: true },
};

/** The tests of this file are chapters: each goes on where the one before has ended. */
describe('a deployment from the command line, against the real service', () => {
  let service: RealService;
  let shop: pg.Client;
  let folder: string;

  beforeAll(async () => {
    service = await RealService.start();
    shop = new pg.Client({ connectionString: service.surroundings.shopUrl });
    await shop.connect();
    await shop.query(`
      create table public.payments (id bigint primary key, amount numeric(12,2) not null);
      insert into public.payments select n, n / 7.0 from generate_series(1, 2000) n;
      analyze public.payments`);
    folder = await mkdtemp(join(tmpdir(), 'lakeshift-specs-'));
  });
  afterAll(async () => {
    await shop.end();
    await service.stop();
    await rm(folder, { recursive: true });
  });

  async function fileOf(content: unknown): Promise<string> {
    const file = join(folder, 'spec.yaml');
    await writeFile(file, stringify(content));
    return file;
  }
  const run = (...args: readonly string[]): Promise<Ran> =>
    lakeshift(args, { api: service.address, env: { LAKESHIFT_ACTOR: 'ada' } });
  const columnsOf = async (): Promise<string[]> => {
    const found = await shop.query<{ name: string }>(
      `select attname::text as name from pg_attribute where attrelid = 'public.payments'::regclass and attnum > 0 and not attisdropped order by attnum`,
    );
    return found.rows.map(({ name }) => name);
  };

  it('shows five mistakes at five pointers and starts nothing', async () => {
    const bad = {
      ...spec,
      strategy: 'expand',
      tabel: 'x',
      table: 7,
      changes: [{ type: 'amount', up: '' }],
      conflict: 'none',
    };
    const { code, err } = await run('deploy', await fileOf(bad));

    expect(code).toBe(2);
    for (const pointer of ['/strategy', '/tabel', '/table', '/changes/0', '/conflict']) expect(err).toContain(pointer);
    expect((await run('list')).out).toBe('no deployments\n');
  });

  it('shows the plan, and every statement of it', async () => {
    const file = await fileOf(spec);
    expect(await run('plan', file)).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringContaining('nothing blocks it'),
    });
    expect((await run('plan', '--sql', file)).out).toMatch(/alter table .*amount_cents/i);
    expect(await columnsOf()).toEqual(['id', 'amount']);
  });

  it('starts the plan that was shown and stays until the cutover, which waits for the dba', async () => {
    const file = await fileOf(spec);
    const { out: shown } = await run('plan', file);
    const hash = /--plan ([0-9a-f]{64})\n/.exec(shown)?.[1] ?? 'none';
    const stay = ['--until', 'cutover', '--watch', '--timeout', '60s'];
    const { code, out } = await run('deploy', file, '--plan', hash, ...stay);

    expect(code).toBe(0);
    expect(out).toMatch(/✓ backfill/);
    expect(await columnsOf()).toEqual(['id', 'amount', 'amount_cents']);
  });

  it('finds the same deployment when it is asked for again, and exits with 4', async () => {
    const file = await fileOf(spec);
    const again = await run('deploy', file, '--wait', '--json', '--timeout', '60s');

    expect(again.code).toBe(4);
    const { status } = JSON.parse(again.out) as DeploymentView;
    expect(status).toMatchObject({ name: 'story-cents', phase: 'waiting-for-approval', startedBy: { name: 'ada' } });
    expect((await run('list')).out.match(/story-cents/g)).toHaveLength(1);
  });

  it('names the holder to a second deployment on the table', async () => {
    const { code, err } = await run(
      'deploy',
      await fileOf({ ...spec, name: 'story-second', changes: [{ add: 'note text' }] }),
    );
    expect(code).toBe(2);
    expect(err).toMatch(/TARGET_TAKEN.*held by story-cents-[0-9a-f]{8}/s);
  });

  it('refuses stale and impossible orders, and approvals of who is not in the group', async () => {
    const stale = await run('pause', 'story-cents', '--reason', 'x', '--stage', 'verify');
    expect(stale).toMatchObject({ code: 2, err: expect.stringContaining('ORDER_STALE') });
    const impossible = await run('extend', 'story-cents', '--reason', 'x', '--by', '1h');
    expect(impossible).toMatchObject({ code: 2, err: expect.stringContaining('ORDER_IMPOSSIBLE') });
    const nobody = await run('approve', 'story-cents', '--reason', 'x');
    expect(nobody).toMatchObject({ code: 2, err: expect.stringMatching(/dba/) });
  });

  it('goes on when the dba approves, and comes to rest before the drop', async () => {
    expect((await run('approve', 'story-cents', '--reason', 'checkout has moved', '--groups', 'dba')).code).toBe(0);
    const { code } = await run('watch', 'story-cents', '--until', 'contract', '--timeout', '60s');
    expect(code).toBe(0);
  });

  it('takes everything back when it is told to, and exits with 3', async () => {
    expect((await run('rollback', 'story-c', '--reason', 'not today')).code).toBe(0);
    const watched = await run('watch', 'story-cents', '--json', '--timeout', '60s');

    expect(watched.code).toBe(3);
    const lines = watched.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(lines.at(-1)).toMatchObject({ type: 'status', deployment: { status: { phase: 'rolled-back' } } });
    expect(await columnsOf()).toEqual(['id', 'amount']);
    const kept = await shop.query('select 1 from public.payments where amount is distinct from round(id / 7.0, 2)');
    expect(kept.rows).toEqual([]);
  });

  it('reports who decided what', async () => {
    const { code, out } = await run('report', 'story-cents');
    expect(code).toBe(0);
    expect(out).toMatch(/cutover +ada +checkout has moved/);
    expect(out).toContain('not today');
  });

  it('finds nothing wrong with the installation', async () => {
    const { code, out } = await run('doctor');
    expect(out).toMatch(/✓ API[^]*✓ target shop/);
    expect(code).toBe(0);
  });
});
