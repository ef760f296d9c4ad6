import { checkSpec } from '../../../decisions/check-spec.ts';
import { centsSpec, SqlWorld } from '../../support/sql-world.ts';

const cents = { type: 'amount', to: 'amount_cents bigint', up: 'round(amount * 100)', down: 'amount_cents / 100.0' };
const up = (text: string) => ({ ...cents, up: text });
const to = (text: string) => ({ ...cents, to: text });
const deep = (n: number, inner: string) => `${'('.repeat(n)}${inner}${')'.repeat(n)}`;

/** Wishes that must be refused before anything of them has run, by where their mistake is. */
const hostile: Readonly<Record<string, readonly unknown[]>> = {
  '/changes/0/up': [
    // more than one expression
    ...['1; DROP TABLE canary', '1); DROP TABLE canary; --', '1) STORED, ADD COLUMN stolen int DEFAULT (1', '1, 2'].map(
      up,
    ),
    ...['1 -- the rest', '1 /* the rest', '1 /* in /* it */ */', '1 AS x', '1 FROM canary', '1 WHERE true'].map(up),
    ...['', '   ', '(', ')', ')(', '1)', '(1', '[1', 'amount]'].map(up),
    // quotes
    ...[`'`, `'a`, `'a''`, `"amount`, `""`, `E'\\'`, `E'a\\'; DROP TABLE canary; --`, `e'\\\\\\'`].map(up),
    ...[`U&'\\0027'`, `U&"amo\\0075nt"`, `$$1$$`, `$a$; DROP TABLE canary; $a$`, `$1`, `amount$1`, `\\copy`].map(up),
    ...[`date'a\\b'`, `N'\\''`, `x'zz'::int`].map(up),
    `"amount\n"`,
    // looks elsewhere
    ...[
      '(SELECT 1)',
      '(SELECT max(id) FROM canary)',
      'EXISTS (SELECT 1)',
      'ARRAY(SELECT 1)',
      'amount IN (SELECT 1)',
    ].map(up),
    ...[
      '(WITH x AS (DELETE FROM canary RETURNING 1) SELECT 1)',
      '(TABLE canary)',
      '(VALUES (1))',
      'canary.id',
      'canary',
    ].map(up),
    ...[
      'lakeshift_probe.*',
      '(lakeshift_probe).amount::text',
      'ROW(lakeshift_probe.*)::text',
      'tableoid',
      'ctid::text',
      'xmin::text',
    ].map(up),
    // not of this row alone
    ...['sum(amount)', 'row_number() OVER ()', 'generate_series(1, 2)', 'unnest(ARRAY[1])', 'grouping(amount)'].map(up),
    // not immutable
    ...[
      'pg_sleep(1)::text::bigint',
      'random()',
      'now()',
      'current_user',
      'clock_timestamp()',
      `nextval('payments_id_seq')`,
    ].map(up),
    ...[
      `current_setting('port')::int`,
      `set_config('role', 'postgres', false)::int`,
      `txid_current()`,
      'inet_client_port()',
    ].map(up),
    ...[`pg_read_file('/etc/passwd')`, `lo_import('/etc/passwd')`, `lo_export(1, '/tmp/x')`, `pg_ls_dir('/')::int`].map(
      up,
    ),
    ...[`pg_terminate_backend(1)::int`, `pg_advisory_lock(1)`, `pg_notify('a', 'b')`, `pg_reload_conf()::int`].map(up),
    ...[
      `query_to_xml('DROP TABLE canary', true, true, '')`,
      `dblink('', 'DROP TABLE canary')`,
      `pg_logical_emit_message(true, 'a', 'b')`,
    ].map(up),
    ...[`to_regclass('canary')::oid::bigint`, `amount::text::date - now()::date`, `'now'::timestamptz || 'x'`].map(up),
    ...[
      `COPY canary TO PROGRAM 'id'`,
      'DEFAULT',
      'NEW.amount',
      'OLD.amount',
      'TG_OP',
      'lakeshift_in',
      '"lakeshift_in"',
      'RAISE',
      ':x',
      '?',
    ].map(up),
    // promises of others
    ...[
      'lies(amount)',
      'amount !! 1',
      '(amount::trusting)::bigint',
      'public.lies(amount)',
      'sleepy(amount)',
      'sleepy_sql(amount)',
    ].map(up),
    // hidden, long and deep
    ...[
      'amount\0',
      `'a\0b'`,
      'amount\u202e * 1',
      `'\u2066'`,
      'amount\u200b',
      '\ufeffamount',
      '\ud800',
      'amount\u0007',
    ].map(up),
    ...['amount；1', '（amount）', 'ａmount', 'аmount' /* Cyrillic */, 'amount\u00a0+ 1', '＇'].map(up),
    ...[
      `'${'a'.repeat(2_000)}'`,
      deep(999, 'amount'),
      'NOT '.repeat(480) + 'x',
      `amount${'::bigint::numeric'.repeat(150)}`,
    ].map(up),
    ...['no_such(amount)', 'amoun', `'x'::no_such`, `'x'::int`, `amount || 1`, 'note'].map(up),
  ].filter((wish) => typeof wish !== 'string'),
  '/changes/0/to': [
    ...[
      'amount_cents',
      'amount_cents bigint; DROP TABLE canary',
      'amount_cents bigint DEFAULT 1',
      'amount_cents bigint PRIMARY KEY',
    ].map(to),
    ...[
      'amount_cents bigint UNIQUE',
      'amount_cents bigint NOT NULL',
      'amount_cents text COLLATE "C"',
      'amount_cents bigint REFERENCES canary',
    ].map(to),
    ...[
      'amount_cents bigint GENERATED ALWAYS AS IDENTITY',
      'amount_cents text DEFAULT current_user',
      'amount_cents bigint STORAGE plain',
    ].map(to),
    ...[
      'amount_cents bigint -- x',
      'amount_cents bigint /* x */',
      'amount_cents bigint, ADD x int',
      'amount_cents bigint) x',
      'amount_cents int array',
    ].map(to),
    ...[
      'amount_cents SETOF bigint',
      'amount_cents canary%TYPE',
      `amount_cents U&"x"`,
      'amount_cents numeric(1;2)',
      'amount_cents numeric(f())',
    ].map(to),
    ...[
      'amount_cents no_such',
      'amount_cents "big int"',
      'amount_cents anyelement',
      'amount_cents record',
      'amount_cents void',
      'amount_cents big\u202eint',
    ].map(to),
    ...['amount_cents bigserial', 'amount_cents serial', 'amount_cents picky', 'amount_cents guessing'].map(to),
    ...[
      '"amount\0" bigint',
      '"a\u202eb" bigint',
      '"" bigint',
      '"a bigint',
      `${'a'.repeat(64)} bigint`,
      `"${'é'.repeat(32)}" bigint`,
    ].map(to),
    ...[
      '"a\nb" bigint',
      'ctid bigint',
      'xmin bigint',
      'note bigint',
      'a.b bigint',
      '1a bigint',
      'a; bigint',
      '$a bigint',
    ].map(to),
  ],
  '/changes/0/down': [
    '(SELECT 1)',
    '1; DROP TABLE canary',
    'random()',
    'amount',
    'note::int',
    'lies(amount_cents)',
    `'x'`,
    'amount_cents)',
  ].map((down) => ({ ...cents, down })),
  '/changes/0/default': [
    '1; DROP TABLE canary',
    'now()',
    'random()',
    '(SELECT 1)',
    `nextval('payments_id_seq')`,
    'amount',
    'id + 1',
    'lies(1)',
    `'x'`,
    '1)',
    '$$1$$',
    `pg_sleep(1)::text::bigint`,
  ].map((fallback) => ({ add: 'extra bigint', default: fallback })),
  '/changes/0/add': [
    'extra bigserial',
    'extra picky',
    'extra guessing',
    'extra bigint DEFAULT random()',
    'extra bigint; DROP TABLE canary',
    'extra bigint CHECK (true)',
  ].map((add) => ({ add })),
  '/changes/0/type': [
    'amount; x',
    'amount--',
    '"amount',
    'a.amount',
    'amount\0',
    'amount bigint',
    '"amount\u202e"',
    'amoun',
    '""',
  ].map((type) => ({
    ...cents,
    type,
  })),
};

describe('a wish that would do more than it says', () => {
  let world: SqlWorld;
  beforeAll(async () => {
    world = await SqlWorld.open();
    await world.payments(10);
    await world.client.query(`
      CREATE TABLE canary (id bigint); INSERT INTO canary VALUES (1);
      CREATE FUNCTION lies(numeric) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN INSERT INTO canary VALUES (2); RETURN 1; END $$;
      CREATE FUNCTION sleepy(numeric) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM pg_sleep(60); RETURN 1; END $$;
      CREATE FUNCTION sleepy_sql(numeric) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT count(*) FROM pg_sleep(60) $$;
      CREATE FUNCTION lies(numeric, int) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN DELETE FROM canary; RETURN 1; END $$;
      CREATE OPERATOR !! (LEFTARG = numeric, RIGHTARG = int, FUNCTION = lies);
      CREATE DOMAIN trusting AS numeric CHECK (lies(VALUE) > 0);
      CREATE DOMAIN picky AS bigint CHECK (VALUE > 0);
      CREATE DOMAIN guessing AS bigint DEFAULT random()`);
  });
  afterAll(() => world.close());

  /** The fields that the refusal names; null: it was let through. */
  async function refused(change: unknown): Promise<readonly string[] | null> {
    const check = checkSpec({ ...centsSpec, changes: [change] });
    if (!check.ok) return check.problems.map(({ pointer }) => pointer);
    if (check.spec.strategy !== 'expand-contract') throw new Error('a spec of something else');
    const result = await world.tryPlan(check.spec);
    return result.ok ? null : result.problems.map(({ pointer }) => pointer);
  }

  const objects = () =>
    world.rows(
      `SELECT (SELECT jsonb_agg(id) FROM canary) AS canary, (SELECT count(*)::int FROM pg_class) AS classes, (SELECT count(*)::int FROM pg_proc) AS functions,
         (SELECT count(*)::int FROM pg_attribute WHERE attrelid = 'payments'::regclass) AS columns, (SELECT last_value::int FROM payments_id_seq) AS last`,
    );

  test.each(Object.keys(hostile))('in %s is refused by that field, and none of it has run', async (pointer) => {
    const before = await objects();
    const through: unknown[] = [];
    for (const change of hostile[pointer] ?? []) {
      const pointers = await refused(change);
      if (pointers === null || !pointers.includes(pointer)) through.push({ change, pointers });
    }
    expect(through).toEqual([]);
    expect(await objects()).toEqual(before);
  });

  test.each([
    ['our own quotes', `amount || '$lakeshift$; DROP TABLE canary; --'`],
    ['a parameter', `amount || ' $1 $2'`],
    ['backslashes', String.raw`amount || '\''); DROP TABLE canary; --'`],
    ['line breaks', `amount || 'one\n  two\r\n three' || E'a\nb\\nc\\\\'`],
    ['quotes in quotes', `amount || '"''"' || "amount"::text`],
  ])('is nothing else than a text that holds %s, which every statement takes for what it is', async (_, up) => {
    const own = await SqlWorld.open();
    try {
      // the most unkind of servers: there a backslash may end a text or not
      const database = new URL(own.database.url).pathname.slice(1);
      await own.superuser.query(`ALTER DATABASE ${database} SET standard_conforming_strings = off`);
      await own.client.query('CREATE TABLE canary (id int)');
      await own.payments(50);
      await own.superuser.query('SET standard_conforming_strings = on');
      const expected = await own.rows(`SELECT ${up} AS words FROM payments ORDER BY id`);
      const plan = await own.expanded({ ...centsSpec, changes: [{ add: 'words text', up }] });
      const application = await own.application();
      await application.query('UPDATE payments SET note = note WHERE id % 2 = 0');
      await own.backfill(plan);
      expect(await own.rows('SELECT words FROM payments ORDER BY id')).toEqual(expected);
      expect(await own.verify(plan)).toMatchObject({ seen: 50, wrong: 0 });
      expect(await own.rows('SELECT * FROM canary')).toEqual([]);
    } finally {
      await own.close();
    }
  });

  test('is one of more than two hundred that were tried', () => {
    expect(Object.values(hostile).flat().length).toBeGreaterThan(200);
  });
});
