import { SqlWorld } from '../../support/sql-world.ts';
import { TableLife, type TableStory, type Write } from '../../support/table-life.ts';

type Part = Pick<TableStory, 'prepare' | 'changes' | 'writes' | 'expected'> & Partial<TableStory>;

const cents = { type: 'amount', to: 'cents bigint', up: 'round(amount * 100)', down: 'cents / 100.0' };
const centsOf = { cents: '(amount * 100)::bigint' };

/** A table of a thousand rows with an amount, told apart by `columns`, which `first` fills from a number `g`. */
function keyed(columns: string, names: string, first: (g: string) => string, where: (n: number) => string): Part {
  const row = (n: number) => `(${names}, amount) SELECT ${first(String(n))}, ${n} / 100.0`;
  return {
    prepare: [
      `CREATE TABLE t (${columns}, amount numeric(12,2) NOT NULL, note text)`,
      `INSERT INTO t (${names}, amount) SELECT ${first('g')}, g / 100.0 FROM generate_series(1, 1000) g`,
    ],
    changes: [cents],
    expected: centsOf,
    writes: (n) => [
      { sql: `INSERT INTO {t} ${row(5_000 + n)}` },
      { sql: `UPDATE {t} SET amount = amount + 1 WHERE ${where((n * 7) % 1_000)}` },
      { sql: `DELETE FROM {t} WHERE ${where((n * 11) % 1_000)}` },
    ],
    newWrites: (n) => [
      {
        sql: `UPDATE {t} SET cents = ${n} WHERE ${where((n * 13) % 1_000)}`,
        twin: `UPDATE {t} SET amount = ${n} / 100.0 WHERE ${where((n * 13) % 1_000)}`,
      },
      { sql: `UPDATE {t} SET note = 'x' WHERE ${where((n * 17) % 1_000)}` },
    ],
  };
}

/** A table of 300 rows of one column of some type, which becomes another. */
function typed(
  type: string,
  value: (g: string) => string,
  change: { readonly to: string; readonly up: string; readonly down: string },
  more: { readonly before?: readonly string[]; readonly expected: string; readonly newValue?: (g: string) => string },
): Part {
  const [fresh = ''] = change.to.split(' ');
  const put = (column: string, n: number, sql: string): Write[] => [
    {
      sql: `UPDATE {t} SET ${column} = ${sql} WHERE id = ${n % 300}`,
      twin: `UPDATE {t} SET v = ${value(String(n))} WHERE id = ${n % 300}`,
    },
  ];
  return {
    prepare: [
      ...(more.before ?? []),
      `CREATE TABLE t (id int PRIMARY KEY, v ${type})`,
      `INSERT INTO t SELECT g, ${value('g')} FROM generate_series(1, 280) g; INSERT INTO t (id) SELECT generate_series(281, 300)`,
    ],
    changes: [{ type: 'v', ...change }],
    expected: { [fresh]: more.expected },
    writes: (n) => [
      ...put('v', n * 3, value(String(n * 3))),
      { sql: `INSERT INTO {t} VALUES (${1_000 + n}, ${value(String(n))})` },
      { sql: `UPDATE {t} SET id = -id WHERE id = ${(n * 11) % 300}` },
      { sql: `UPDATE {t} SET v = NULL WHERE id = ${(n * 13) % 300}` },
    ],
    newWrites: (n) => [
      ...(more.newValue === undefined ? [] : put(fresh, n * 5, more.newValue(String(n * 5)))),
      ...put('v', n * 3, value(String(n * 3))),
    ],
  };
}

/** The server does not take the casts themselves for immutable: labels of an enum can be renamed. */
const moodAsText = `CASE v WHEN 'sad' THEN 'sad' WHEN 'ok' THEN 'ok' WHEN 'happy' THEN 'happy' END`;
const textAsMood = (column: string): string =>
  `CASE ${column} WHEN 'sad' THEN mood 'sad' WHEN 'ok' THEN mood 'ok' WHEN 'happy' THEN mood 'happy' END`;
/** A name of 63 bytes that ends in a letter. */
function long(letter: string): string {
  return `"${'ö'.repeat(31)}${letter}"`;
}

const caseBlind = `CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`;
const textKey = (collation: string) =>
  keyed(
    `k text COLLATE ${collation} PRIMARY KEY`,
    'k',
    (g) => `'Iıi ' || ${g}`,
    (n) => `k = 'Iıi ${n}'`,
  );

const stories: readonly (readonly [string, Part])[] = [
  [
    'a composite key',
    keyed(
      'a int, b text, PRIMARY KEY (b, a)',
      'a, b',
      (g) => `${g} % 10, 'b' || ${g}`,
      (n) => `b = 'b${n}'`,
    ),
  ],
  [
    'a uuid key',
    keyed(
      'k uuid PRIMARY KEY',
      'k',
      (g) => `md5(${g}::text)::uuid`,
      (n) => `k = md5('${n}')::uuid`,
    ),
  ],
  ['a text key of bytes', textKey('"C"')],
  ['a text key of Turkish rules', textKey('"tr-TR-x-icu"')],
  ['a text key that is blind to case', { ...textKey('blind'), prepare: [caseBlind, ...textKey('blind').prepare] }],
  [
    'a padded key',
    keyed(
      'k char(12) PRIMARY KEY',
      'k',
      (g) => `'k' || ${g}`,
      (n) => `k = 'k${n}'`,
    ),
  ],
  [
    'a key of a moment',
    keyed(
      'k timestamptz PRIMARY KEY',
      'k',
      (g) => `timestamptz 'epoch' + ${g} * interval '1 ms'`,
      (n) => `k = timestamptz 'epoch' + ${n} * interval '1 ms'`,
    ),
  ],
  [
    'no key',
    keyed(
      'k int',
      'k',
      (g) => g,
      (n) => `k = ${n}`,
    ),
  ],
  [
    'a unique index over not-null columns',
    keyed(
      'k int NOT NULL, l int, UNIQUE (k), UNIQUE (l)',
      'k, l',
      (g) => `${g}, NULL::int`,
      (n) => `k = ${n}`,
    ),
  ],
  [
    'an identity and generated columns',
    {
      ...keyed(
        'id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, k int, twice int GENERATED ALWAYS AS (k * 2) STORED',
        'k',
        (g) => g,
        (n) => `k = ${n}`,
      ),
      ignored: ['id', 'twice'],
    },
  ],
  [
    'room on its pages',
    keyed(
      'k int PRIMARY KEY, filler text',
      'k, filler',
      (g) => `${g}, repeat('f', 300)`,
      (n) => `k = ${n}`,
    ),
  ],
  [
    'a domain',
    typed(
      'price',
      (g) => `${g} / 100.0`,
      { to: 'c bigint', up: 'v * 100', down: 'c / 100.0' },
      {
        before: ['CREATE DOMAIN price AS numeric(12,2) CHECK (VALUE >= 0)'],
        expected: '(v * 100)::bigint',
        newValue: (g) => g,
      },
    ),
  ],
  [
    'an enum that becomes text',
    typed(
      'mood',
      (g) => `(ARRAY['sad','ok','happy'])[1 + ${g} % 3]::mood`,
      { to: 'm text', up: moodAsText, down: textAsMood('m') },
      {
        before: [`CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')`],
        expected: 'v::text',
        newValue: (g) => `(ARRAY['sad','ok','happy'])[1 + ${g} % 3]`,
      },
    ),
  ],
  [
    'a text that becomes an enum',
    typed(
      'text',
      (g) => `(ARRAY['sad','ok','happy'])[1 + ${g} % 3]`,
      { to: 'm mood', up: textAsMood('v'), down: moodAsText.replace('v', 'm') },
      {
        before: [`CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')`],
        expected: 'v::mood',
        newValue: (g) => `(ARRAY['sad','ok','happy'])[1 + ${g} % 3]::mood`,
      },
    ),
  ],
  [
    'an array',
    typed(
      'int[]',
      (g) => `ARRAY[${g}, NULL]`,
      { to: 'a bigint[]', up: 'v::bigint[]', down: 'a::int[]' },
      {
        expected: 'v::bigint[]',
        newValue: (g) => `ARRAY[${g}, NULL]::bigint[]`,
      },
    ),
  ],
  [
    'json that becomes jsonb',
    typed(
      'json',
      (g) => `json_build_object('a', ${g})`,
      { to: 'j jsonb', up: 'v::jsonb', down: 'j::json' },
      {
        expected: 'v::jsonb',
      },
    ),
  ],
  [
    'jsonb that becomes text',
    typed(
      'jsonb',
      (g) => `jsonb_build_object('a', ${g})`,
      { to: 'j text', up: 'v::text', down: 'j::jsonb' },
      {
        expected: 'v::text',
        newValue: (g) => `jsonb_build_object('a', ${g})::text`,
      },
    ),
  ],
  [
    'a composite type that becomes text',
    typed(
      'place',
      (g) => `ROW(${g}, NULL)::place`,
      { to: 'p text', up: '(v).x::text', down: 'ROW(p::int, NULL)::place' },
      {
        before: ['CREATE TYPE place AS (x int, y int)'],
        expected: '(v).x::text',
        newValue: (g) => `'${g}'`,
      },
    ),
  ],
  [
    'a number that becomes a composite type',
    typed(
      'int',
      (g) => g,
      { to: 'p place', up: 'CASE WHEN v IS NOT NULL THEN ROW(v, NULL)::place END', down: '(p).x' },
      {
        before: ['CREATE TYPE place AS (x int, y int)'],
        expected: 'CASE WHEN v IS NOT NULL THEN ROW(v, NULL)::place END',
        newValue: (g) => `ROW(${g}, NULL)::place`,
      },
    ),
  ],
  [
    'a text that is blind to case',
    typed(
      'text COLLATE blind',
      (g) => `CASE WHEN ${g} % 7 < 4 THEN 'Ann' ELSE 'ANN' END`,
      { to: 'w text', up: 'v', down: 'w' },
      {
        before: [caseBlind],
        expected: 'v COLLATE "C"',
        newValue: (g) => `CASE WHEN ${g} % 7 < 4 THEN 'Ann' ELSE 'ANN' END`,
      },
    ),
  ],
  [
    'citext',
    typed(
      'citext',
      (g) => `CASE WHEN ${g} % 7 < 4 THEN 'Ann' ELSE 'ANN' END`,
      { to: 'w text', up: 'v::text', down: 'w::citext' },
      {
        before: ['CREATE EXTENSION citext'],
        expected: 'v::text',
        newValue: (g) => `CASE WHEN ${g} % 7 < 4 THEN 'Ann' ELSE 'ANN' END`,
      },
    ),
  ],
  [
    'hstore',
    typed(
      'hstore',
      (g) => `hstore('a', '${g}')`,
      { to: 'w jsonb', up: 'v::jsonb', down: `hstore('a', w ->> 'a')` },
      {
        before: ['CREATE EXTENSION hstore'],
        expected: 'v::jsonb',
      },
    ),
  ],
  [
    'wide values',
    typed(
      'text',
      (g) => `(SELECT string_agg(md5((${g} + i)::text), '') FROM generate_series(1, 400) i)`,
      { to: 'w bytea', up: `decode(v, 'hex')`, down: `encode(w, 'hex')` },
      {
        expected: `decode(v, 'hex')`,
      },
    ),
  ],
  [
    "others' triggers before ours, after ours, and per statement, which change what is converted",
    {
      ...keyed(
        'k int PRIMARY KEY',
        'k',
        (g) => g,
        (n) => `k = ${n}`,
      ),
      prepare: [
        'CREATE TABLE t (k int PRIMARY KEY, amount numeric(12,2) NOT NULL, note text)',
        'INSERT INTO t SELECT g, g / 100.0 FROM generate_series(1, 1000) g',
        'CREATE TABLE log (k int, did text)',
        `CREATE FUNCTION whole() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.amount := ceil(NEW.amount); RETURN NEW; END $$`,
        `CREATE FUNCTION note_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log SELECT k, TG_OP FROM fresh; RETURN NULL; END $$`,
        'CREATE TRIGGER whole BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION whole()',
        'CREATE TRIGGER note_it AFTER UPDATE ON t REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION note_it()',
      ],
      // the trigger works on each row that is rewritten, ours included
      comparesWith: { amount: 'ceil(amount)::numeric(12,2)' },
      expected: { cents: '(ceil(amount) * 100)::bigint' },
      writes: (n) => [
        {
          sql: `UPDATE {t} SET amount = amount + 1 WHERE k = ${(n * 7) % 1_000}`,
          twin: `UPDATE {t} SET amount = ceil(amount + 1) WHERE k = ${(n * 7) % 1_000}`,
        },
        { sql: `DELETE FROM {t} WHERE k = ${(n * 11) % 1_000}` },
      ],
      newWrites: (n) => [
        {
          sql: `UPDATE {t} SET cents = ${n} * 100 WHERE k = ${(n * 13) % 1_000}`,
          twin: `UPDATE {t} SET amount = ${n} WHERE k = ${(n * 13) % 1_000}`,
        },
      ],
    },
  ],
  [
    "another's trigger that writes further rows of the same table",
    {
      ...keyed(
        'k int PRIMARY KEY',
        'k',
        (g) => g,
        (n) => `k = ${n}`,
      ),
      prepare: [
        'CREATE TABLE t (k int PRIMARY KEY, amount numeric(12,2) NOT NULL, note text)',
        'INSERT INTO t SELECT g, g / 100.0 FROM generate_series(1, 1000) g',
        `CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF NEW.k BETWEEN 1 AND 1000 THEN INSERT INTO t (k, amount) VALUES (-NEW.k, 7) ON CONFLICT (k) DO UPDATE SET amount = excluded.amount; END IF; RETURN NULL; END $$`,
        'CREATE TRIGGER more AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION more()',
      ],
      only: 'k > 0',
    },
  ],
  [
    'a schema and a type that have no place on any path',
    {
      prepare: [
        'CREATE SCHEMA "Odd.Schema"',
        'GRANT USAGE ON SCHEMA "Odd.Schema" TO PUBLIC',
        `CREATE TYPE public.mood AS ENUM ('sad', 'ok', 'happy')`,
        'CREATE TABLE "Odd.Schema"."t""bl 😀" (k int PRIMARY KEY, v int, feels public.mood NOT NULL)',
        `INSERT INTO "Odd.Schema"."t""bl 😀" SELECT g, g, 'ok' FROM generate_series(1, 300) g`,
      ],
      table: '"Odd.Schema"."t""bl 😀"',
      changes: [
        { type: 'v', to: 'twice bigint', up: 'v * 2', down: '(twice / 2)::int' },
        {
          type: 'feels',
          to: 'felt text',
          up: `CASE feels WHEN 'sad' THEN 'sad' ELSE 'ok' END`,
          down: `CASE felt WHEN 'sad' THEN public.mood 'sad' ELSE public.mood 'ok' END`,
        },
      ],
      expected: { twice: 'v * 2', felt: 'feels::text' },
      writes: (n) => [
        { sql: `UPDATE {t} SET v = ${n}, feels = 'sad' WHERE k = ${(n * 7) % 300}` },
        { sql: `INSERT INTO {t} VALUES (${n + 1_000}, ${n}, 'ok')` },
      ],
      newWrites: (n) => [
        {
          sql: `UPDATE {t} SET twice = ${n * 2}, felt = 'ok' WHERE k = ${(n * 7) % 300}`,
          twin: `UPDATE {t} SET v = ${n}, feels = 'ok' WHERE k = ${(n * 7) % 300}`,
        },
      ],
    },
  ],
  [
    'names of 63 bytes that differ only at their end, and names of variables',
    {
      prepare: [
        `CREATE TABLE t (tg_op int PRIMARY KEY, ${long('a')} int NOT NULL, ${long('b')} int NOT NULL, "found" int, "lakeshift_up" int, "r" int, "select" int NOT NULL)`,
        `INSERT INTO t SELECT g, g, g, g, g, g, g FROM generate_series(1, 300) g`,
      ],
      changes: [
        { type: long('a'), to: `${long('c')} bigint`, up: `${long('a')} * 2`, down: `(${long('c')} / 2)::int` },
        { type: long('b'), to: `${long('d')} bigint`, up: `${long('b')} * 3`, down: `(${long('d')} / 3)::int` },
        { type: '"select"', to: '"order" bigint', up: '"select" * 2', down: '("order" / 2)::int' },
        { add: 'total int', up: 'tg_op + "found" + "lakeshift_up" + "r"' },
      ],
      expected: {
        [long('c')]: `${long('a')} * 2`,
        [long('d')]: `${long('b')} * 3`,
        '"order"': '"select" * 2',
        total: 'tg_op + found + lakeshift_up + r',
      },
      writes: (n) => [
        {
          sql: `UPDATE {t} SET ${long('a')} = ${n}, ${long('b')} = ${n}, "select" = ${n} WHERE tg_op = ${(n * 7) % 300}`,
        },
        { sql: `INSERT INTO {t} VALUES (${n + 1_000}, ${n}, ${n}, 1, 1, 1, ${n})` },
      ],
    },
  ],
  [
    'one row',
    {
      ...keyed(
        'k int PRIMARY KEY',
        'k',
        (g) => g,
        (n) => `k = ${n}`,
      ),
      prepare: [
        'CREATE TABLE t (k int PRIMARY KEY, amount numeric(12,2) NOT NULL, note text)',
        'INSERT INTO t VALUES (1, 1)',
      ],
    },
  ],
  [
    'no row',
    {
      ...keyed(
        'k int PRIMARY KEY',
        'k',
        (g) => g,
        (n) => `k = ${n}`,
      ),
      prepare: ['CREATE TABLE t (k int PRIMARY KEY, amount numeric(12,2) NOT NULL, note text)'],
    },
  ],
  [
    'no log of its writes, a low fill factor, and columns that were dropped',
    {
      ...keyed(
        'k int PRIMARY KEY',
        'k',
        (g) => g,
        (n) => `k = ${n}`,
      ),
      prepare: [
        'CREATE UNLOGGED TABLE t (gone text, k int PRIMARY KEY, amount numeric(12,2) NOT NULL, too text, note text) WITH (fillfactor = 60)',
        `INSERT INTO t (gone, k, amount, too) SELECT 'x', g, g / 100.0, 'y' FROM generate_series(1, 1000) g`,
        'ALTER TABLE t DROP COLUMN gone, DROP COLUMN too',
      ],
    },
  ],
  [
    'row-level security that its owner stands above',
    {
      ...keyed(
        'k int PRIMARY KEY',
        'k',
        (g) => g,
        (n) => `k = ${n}`,
      ),
      prepare: [
        ...keyed(
          'k int PRIMARY KEY',
          'k',
          (g) => g,
          (n) => `k = ${n}`,
        ).prepare,
        'ALTER TABLE t ENABLE ROW LEVEL SECURITY',
        'CREATE POLICY p ON t FOR ALL USING (k % 2 = 0 OR k > 1000) WITH CHECK (k % 2 = 0 OR k > 1000)',
      ],
      writes: (n) => [
        { sql: `UPDATE {t} SET amount = amount + 1 WHERE k = ${((n * 7) % 500) * 2}` },
        { sql: `UPDATE {t} SET amount = amount + 1 WHERE k = ${((n * 7) % 500) * 2 + 1}`, twin: 'SELECT 1' },
      ],
      newWrites: (n) => [
        {
          sql: `UPDATE {t} SET cents = ${n} WHERE k = ${((n * 13) % 500) * 2}`,
          twin: `UPDATE {t} SET amount = ${n} / 100.0 WHERE k = ${((n * 13) % 500) * 2}`,
        },
      ],
    },
  ],
  [
    'a materialized view on it, and a publication that sends it with a replica identity of all columns',
    {
      ...keyed(
        'k int',
        'k',
        (g) => g,
        (n) => `k = ${n}`,
      ),
      prepare: [
        ...keyed(
          'k int',
          'k',
          (g) => g,
          (n) => `k = ${n}`,
        ).prepare,
        'CREATE MATERIALIZED VIEW m AS SELECT k, note FROM t',
        'ALTER TABLE t REPLICA IDENTITY FULL',
        'CREATE PUBLICATION p FOR TABLE t',
      ],
    },
  ],
];

describe.each([14, 18] as const)('a table of PostgreSQL %s with', (major) => {
  let world: SqlWorld;
  let life: TableLife | null = null;
  beforeEach(async () => {
    world = await SqlWorld.open({ major });
  }, 120_000);
  afterEach(async () => {
    await life?.end();
    await world.close();
  });

  test.each(stories)('%s goes through a change while an application writes, and back', async (_, part) => {
    const story: TableStory = { table: 'public.t', ...part };
    life = await TableLife.begin(world, story);
    const before = await life.catalog();
    await life.forward('cutover');
    await life.back();
    await life.compareWithTwin('old');
    expect(await life.catalog()).toEqual(before);
    life = await TableLife.again(world, story);
    await life.forward();
    await life.contract();
  });
});
