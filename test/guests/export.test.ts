import type { Spec } from '../../contracts/spec.ts';
import { exportFile, exportForms, type ExportForm } from '../../decisions/guests/export.ts';
import { catalogSnapshot } from '../support/catalog-snapshot.ts';
import { runScript } from '../support/run-sql.ts';
import { centsSpec, SqlWorld, stageOf } from '../support/sql-world.ts';

const spec: Spec = {
  ...centsSpec,
  changes: [
    ...centsSpec.changes,
    { add: 'flag text', up: 'upper(note)', default: `'none'` },
    { notNull: 'note', up: `'empty'` },
  ],
};

let world: SqlWorld;
beforeEach(async () => {
  world = await SqlWorld.open();
  await world.payments(500);
  await world.client.query('UPDATE payments SET note = NULL WHERE id = 9');
});
afterEach(() => world.close());

const rows = () => world.rows('SELECT * FROM payments ORDER BY id');

/** The SQL that the tool would send of its file. */
const sent = (form: ExportForm, text: string): string =>
  form === 'rails' ? (/<<-'LAKESHIFT_SQL'\n([\s\S]*?)\n\s*LAKESHIFT_SQL/.exec(text)?.[1] ?? 'no SQL') : text;

async function deploy(): Promise<void> {
  const plan = await world.plan(spec);
  await world.run('claim', { site: world.site(), plan });
  await world.run('alter', { site: world.site(), stage: 'expand', alteration: stageOf(plan, 'expand').perform });
  await world.backfill(plan);
  const { perform, performLong = [] } = stageOf(plan, 'cutover');
  await world.run('alter', { site: world.site(), stage: 'cutover', alteration: perform });
  await world.run('alterLong', { site: world.site(), statements: performLong });
  await world.run('alter', { site: world.site(), stage: 'contract', alteration: stageOf(plan, 'contract').perform });
  await world.run('release', { site: world.site() });
}

test.each(exportForms)(
  'the form %s makes the change where it is not made, and does nothing where it is',
  async (form) => {
    const { text } = exportFile(await world.plan(spec), form, '20260731120000');
    await runScript(world.client, sent(form, text));
    const [made, values] = [await catalogSnapshot(world.superuser), await rows()];
    await runScript(world.client, sent(form, text));
    expect(await catalogSnapshot(world.superuser)).toEqual(made);
    await world.close();

    world = await SqlWorld.open();
    await world.payments(500);
    await world.client.query('UPDATE payments SET note = NULL WHERE id = 9');
    await deploy();
    expect(made).toEqual(await catalogSnapshot(world.superuser));
    const deployed = await rows();
    expect(values).toEqual(deployed);
    await runScript(world.client, sent(form, text));
    expect(await catalogSnapshot(world.superuser)).toEqual(made);
    expect(await rows()).toEqual(deployed);
  },
);

test('each form has the name that its tool looks for', async () => {
  const plan = await world.plan(spec);
  expect(exportForms.map((form) => exportFile(plan, form, '20260731120000').path)).toEqual([
    'payments-cents.sql',
    'V20260731120000__payments_cents.sql',
    'payments-cents.sql',
    'prisma/migrations/20260731120000_payments_cents/migration.sql',
    'db/migrate/20260731120000_payments_cents.rb',
  ]);
  expect(exportFile(plan, 'liquibase', '20260731120000').text).toMatch(
    /^--liquibase formatted sql\n\n--changeset lakeshift:payments-cents-[0-9a-f]{8} splitStatements:false /,
  );
  expect(exportFile(plan, 'rails', '20260731120000').text).toMatch(/^class PaymentsCents < ActiveRecord::Migration/);
});
