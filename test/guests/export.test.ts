import { exportForms, type ExportForm } from '../../contracts/catalog.ts';
import type { TableSpec } from '../../contracts/spec.ts';
import { exportFile } from '../../decisions/guests/export.ts';
import { catalogSnapshot, catalogWithoutPlaces } from '../support/catalog-snapshot.ts';
import { ordersSpec, shop } from '../support/orders-spec.ts';
import { runScript } from '../support/run-sql.ts';
import { centsSpec, SqlWorld } from '../support/sql-world.ts';
import { StageWalk } from '../support/stage-walk.ts';

const spec: TableSpec = {
  ...centsSpec,
  changes: [
    ...centsSpec.changes,
    { add: 'flag text', up: 'upper(note)', default: `'none'` },
    { notNull: 'note', up: `'empty'` },
  ],
};

const at = Date.UTC(2026, 6, 31, 12);

/** The SQL that the tool would send of its file. */
const sent = (form: ExportForm, text: string): string =>
  form === 'rails' ? (/<<-'LAKESHIFT_SQL'\n([\s\S]*?)\n\s*LAKESHIFT_SQL/.exec(text)?.[1] ?? 'no SQL') : text;

let world: SqlWorld;
beforeEach(async () => {
  world = await SqlWorld.open();
});
afterEach(() => world.close());

/** As with every column in its place: a tool's migration changes a column where it is. */
async function found(table: string): Promise<{ readonly catalog: readonly string[]; readonly rows: unknown[] }> {
  const { rows } = await world.client.query(`SELECT to_jsonb(t) AS row FROM ${table} t ORDER BY to_jsonb(t)::text`);
  return { catalog: await catalogWithoutPlaces(world.client), rows };
}

describe('a change of several columns', () => {
  const prepare = async (): Promise<void> => {
    await world.payments(500);
    await world.client.query('UPDATE payments SET note = NULL WHERE id = 9');
  };
  const rows = () => world.rows('SELECT * FROM payments ORDER BY id');

  /** Without comparing: the flag of the row that gets a note was computed while it had none. */
  async function deploy(): Promise<void> {
    const walk = await StageWalk.begin(world, spec);
    for (const stage of walk.plan.stages)
      if (stage.kind !== 'verify' && stage.kind !== 'grace') await walk.perform(stage);
    await walk.release();
  }

  test.each(exportForms)('in the form %s is made where it is not made, and left alone where it is', async (form) => {
    await prepare();
    const { text } = exportFile(await world.plan(spec), form, at);
    await runScript(world.client, sent(form, text));
    const [made, values] = [await catalogSnapshot(world.superuser), await rows()];
    await runScript(world.client, sent(form, text));
    expect(await catalogSnapshot(world.superuser)).toEqual(made);
    await world.close();

    world = await SqlWorld.open();
    await prepare();
    await deploy();
    expect(made).toEqual(await catalogSnapshot(world.superuser));
    const deployed = await rows();
    expect(values).toEqual(deployed);
    await runScript(world.client, sent(form, text));
    expect(await catalogSnapshot(world.superuser)).toEqual(made);
    expect(await rows()).toEqual(deployed);
  });
});

/** A shop without views, which a column of another name and type does not take along. */
const noViews = `${shop} DROP VIEW very_big, big_orders;`;
/** A table whose keys the server counts up. */
const counted = `CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY (START 7 INCREMENT 3) PRIMARY KEY, rate numeric(8,2) NOT NULL DEFAULT 1.50, "Kind" varchar(10));
  CREATE VIEW rates AS SELECT rate, sum(id) AS ids FROM orders GROUP BY rate;
  INSERT INTO orders (rate, "Kind") SELECT g / 4.0, CASE WHEN g % 3 > 0 THEN 'k' || g END FROM generate_series(1, 200) g`;
const refuse = { misfits: 'refuse' } as const;

const cases: readonly (readonly [what: string, table: string, changes: TableSpec['changes']])[] = [
  ['a rename of a column with all that may hang on one', shop, [{ rename: 'amount', to: 'total' }]],
  ['a rename of a primary key with a sequence', shop, [{ rename: 'id', to: '"OrderId"' }]],
  [
    'a rename that leaves things behind',
    shop,
    [{ rename: 'amount', to: 'total', leaveBehind: ['orders_twice', 'amount_positive', 'not null', 'default'] }],
  ],
  ['a swap of a column with all that may hang on one', shop, [{ type: 'amount', to: 'amount bigint', ...refuse }]],
  ['a swap of a column with a foreign key', shop, [{ type: 'customer_id', to: 'customer_id bigint' }]],
  ['a swap of a column to which others refer', shop, [{ type: 'code', to: 'code text', ...refuse }]],
  ['a swap of a primary key with a sequence', shop, [{ type: 'id', to: 'id bigint', ...refuse }]],
  ['a swap of an identity', counted, [{ type: 'id', to: 'id bigint', ...refuse }]],
  [
    'a swap that converts and leaves behind what speaks of old values',
    shop,
    [
      {
        type: 'amount',
        to: 'amount bigint',
        up: 'amount * 100',
        down: 'amount / 100',
        leaveBehind: ['orders_amount_idx', 'orders_twice', 'orders_note_big', 'amount_positive'],
      },
    ],
  ],
  [
    'a swap to the same type with another modifier',
    counted,
    [{ type: 'rate', to: 'rate numeric(10,4)', up: 'rate / 100', down: 'rate * 100' }],
  ],
  [
    'columns of which others are computed that are renamed, swapped and dropped',
    counted,
    [
      { rename: '"Kind"', to: 'kind' },
      { type: 'rate', to: 'rate numeric(10,4)', up: 'rate / 100', down: 'rate * 100' },
      { add: 'label text', up: `"Kind" || ' at ' || rate` },
    ],
  ],
  [
    'another type under another name, with all that may hang on a column',
    noViews,
    [{ type: 'amount', to: 'total bigint' }],
  ],
  [
    'another type under another name of a column with a foreign key',
    noViews,
    [{ type: 'customer_id', to: 'buyer_id bigint' }],
  ],
  [
    'another type under another name of a column to which others refer',
    `${noViews} ALTER TABLE orders REPLICA IDENTITY DEFAULT`,
    [{ type: 'code', to: 'reference text' }],
  ],
];

/** Every form for what is most common; each of the others for some. */
const formsOf = (what: string): readonly ExportForm[] => {
  const index = cases.findIndex(([name]) => name === what);
  return what.endsWith('may hang on one')
    ? exportForms
    : exportForms.filter((_, n) => n === index % exportForms.length);
};

describe.each(cases)('%s', (what, prepare, changes) => {
  const open = async (): Promise<void> => {
    await world.client.query(prepare);
    // the same in each copy
    if (prepare !== counted) await world.client.query(`UPDATE orders SET placed = '2026-01-01'`);
    await world.client.query('ANALYZE orders');
  };

  test('is what a deployment makes of it, and nothing where it is made', async () => {
    await open();
    const walk = await StageWalk.begin(world, ordersSpec(...changes));
    await walk.through('contract');
    await walk.release();
    const scripts = formsOf(what).map((form) => [form, sent(form, exportFile(walk.plan, form, at).text)] as const);
    const made = await found('orders');
    for (const [form, script] of scripts) {
      await runScript(world.client, script);
      expect([form, await found('orders')]).toEqual([form, made]);
    }
    const there = world.name;
    await world.close();

    world = await SqlWorld.open();
    await open();
    for (const [form, exported] of scripts) {
      const script = exported.replaceAll(there, world.name);
      // most tools run a migration in a transaction; taken back, each form meets the table as it was
      await world.client.query('BEGIN');
      await runScript(world.client, script);
      expect([form, await found('orders')]).toEqual([form, made]);
      await runScript(world.client, script);
      expect([form, await found('orders')]).toEqual([form, made]);
      await world.client.query('ROLLBACK');
    }
  });
});

test('roles that another database does not know are left out, and named', async () => {
  await world.client.query(shop);
  const plan = await world.plan(ordersSpec({ type: 'amount', to: 'amount bigint', misfits: 'refuse' }));
  const owner = `${world.name}_owner`;
  await world.close();
  world = await SqlWorld.open();
  await world.client.query(shop);
  const said = await runScript(world.client, exportFile(plan, 'sql', at).text);
  expect(said).toContain(`left out: role "${owner}" does not exist`);
  expect(await world.rows('SELECT pg_typeof(amount)::text AS type FROM very_big LIMIT 1')).toEqual([
    { type: 'bigint' },
  ]);
});

test('each form has the name that its tool looks for', async () => {
  await world.payments(10);
  const plan = await world.plan(spec);
  expect(exportForms.map((form) => exportFile(plan, form, at).path)).toEqual([
    'payments-cents.sql',
    'V20260731120000__payments_cents.sql',
    'payments-cents.sql',
    'prisma/migrations/20260731120000_payments_cents/migration.sql',
    'db/migrate/20260731120000_payments_cents.rb',
  ]);
  expect(exportFile(plan, 'liquibase', at).text).toMatch(
    /^--liquibase formatted sql\n\n--changeset lakeshift:payments-cents-[0-9a-f]{8} splitStatements:false /,
  );
  expect(exportFile(plan, 'rails', at).text).toMatch(/^class PaymentsCents < ActiveRecord::Migration/);
});
