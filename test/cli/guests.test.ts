import { afterEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aPlan, aReport, aView } from './support/fixtures.ts';
import { type FakeApi, ok, startFakeApi, type Answer } from './support/fake-api.ts';
import { lakeshift, type Ran } from './support/run.ts';

const id = 'payments-cents-1a2b3c4d';
const one = `/v1/deployments/${id}`;
const specFile = 'examples/01-cents-instead-of-decimals.yaml';

let api: FakeApi | null = null;
afterEach(async () => {
  await api?.close();
  api = null;
});

async function against(routes: Readonly<Record<string, Answer>>, ...args: readonly string[]): Promise<Ran> {
  api = await startFakeApi(routes);
  return lakeshift(args, { api: api.address });
}

describe('lakeshift eject', () => {
  const view = { id, way: 'finish', stage: 'backfill', sql: '-- the script\nSELECT 1;\n' };

  it('prints the script that the service makes of the ledger', async () => {
    const { code, out } = await against(
      { [`GET ${one}`]: ok(aView()), [`GET ${one}/eject`]: ok(view) },
      'eject',
      id,
      '--finish',
    );
    expect([code, out]).toEqual([0, '-- the script\nSELECT 1;\n']);
    expect(api?.seen.at(-1)?.query.get('way')).toBe('finish');
  });

  it('makes the script of a saved plan or report when there is no service at all', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lakeshift-eject-cli-'));
    for (const [name, saved] of Object.entries({ plan: { plan: aPlan() }, report: aReport(), bare: aPlan() })) {
      const file = join(folder, `${name}.json`);
      await writeFile(file, JSON.stringify(saved));
      const nowhere = { api: 'http://127.0.0.1:9' };
      const { code, out } = await lakeshift(['eject', id, '--plan', file, '--stage', 'backfill'], nowhere);
      expect(code).toBe(0);
      expect(out).toMatch(new RegExp(`^-- takes back ${id}, at backfill: expand-contract of public.payments`));
      expect(out).toContain('alter table public.payments drop column amount_cents');
      const misspelt = await lakeshift(['eject', id, '--plan', file, '--stage', 'backfil'], nowhere);
      expect([misspelt.code, misspelt.err]).toEqual([2, 'this plan has no stage backfil; did you mean backfill?\n']);
    }
    await writeFile(join(folder, 'other.json'), '{"a": 1}');
    expect(await lakeshift(['eject', id, '--plan', join(folder, 'other.json')])).toMatchObject({
      code: 2,
      err: expect.stringContaining('holds no plan') as unknown,
    });
    await rm(folder, { recursive: true });
  });

  it('refuses a stage where the ledger knows it', async () => {
    expect(await against({}, 'eject', id, '--stage', 'backfill')).toMatchObject({ code: 2 });
  });
});

describe('lakeshift export', () => {
  it('writes the finished change of a spec or of a deployment, and says where it belongs', async () => {
    const ofSpec = await against({ 'POST /v1/plans': ok({ plan: aPlan() }) }, 'export', specFile, '--form', 'flyway');
    expect(ofSpec).toMatchObject({
      code: 0,
      err: expect.stringContaining('V20260731120000__payments_cents.sql') as unknown,
    });
    await api?.close();
    const routes = { [`GET ${one}`]: ok(aView()), [`GET ${one}/report`]: ok(aReport()) };
    const { code, out } = await against(routes, 'export', id, '--form', 'liquibase');
    expect([code, out]).toEqual([0, expect.stringMatching(/^--liquibase formatted sql\n/)]);
  });

  it('refuses a form that nobody knows, with the nearest', async () => {
    expect(await against({}, 'export', id, '--form', 'flywy')).toMatchObject({
      code: 2,
      err: 'there is no form flywy; did you mean flyway?\n',
    });
  });
});
