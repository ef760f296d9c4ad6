import { strategies, type Strategy } from '../../contracts/catalog.ts';
import { checkSpec } from '../../decisions/check-spec.ts';
import { expressionFault } from '../../decisions/sql/postgres/expression.ts';
import { modelSpec } from '../support/release-specs.ts';
import { centsSpec } from '../support/sql-world.ts';

const pointers = (value: unknown): string[] => {
  const checked = checkSpec(value);
  return checked.ok ? [] : checked.problems.map(({ pointer }) => pointer).sort();
};

test('a spec in order passes as it is', () => {
  expect(checkSpec(centsSpec)).toEqual({ ok: true, spec: centsSpec });
});

test.each([
  {},
  { p99: '1.5x' },
  { probe: true, p99: '2x' },
  { probe: false },
  { metrics: 'shop-prometheus', p99: '1.25x' },
])('a protection may be %j', (protect) => {
  expect(pointers({ ...centsSpec, protect })).toEqual([]);
});

describe('whom a spec of any strategy tells', () => {
  const release = { name: 'checkout', target: 'k8s', workload: 'shop/checkout', images: { app: 'app:2' } };
  const route = { via: 'flag', key: 'flags.json', flag: 'new', stable: 'off', candidate: 'on' };
  const { workload: service, ...sides } = release;
  const specs = {
    'expand-contract': centsSpec,
    rolling: { ...release, strategy: 'rolling' },
    canary: { name: 'c', target: 'k8s', workload: 'shop/flags', strategy: 'canary', route, seen: false },
    'blue-green': { ...sides, strategy: 'blue-green', service, slots: { label: 'side', blue: 'a', green: 'b' } },
    recreate: { ...release, strategy: 'recreate', accept: 'downtime' },
    shadow: {
      ...release,
      strategy: 'shadow',
      service: 'checkout',
      writes: 'none',
      sides: { stable: 'http://a', candidate: 'http://b' },
      requests: { list: [{ method: 'GET', path: '/' }] },
    },
    release: {
      name: 'r',
      strategy: 'release',
      tables: [{ target: centsSpec.target, table: centsSpec.table, changes: centsSpec.changes }],
      services: [{ target: 'k8s', workload: 'shop/flags', route, seen: false }],
    },
    'model-canary': modelSpec,
  } satisfies Record<Strategy, unknown>;

  test.each(strategies)('%s: a channel, some, or none', (strategy) => {
    for (const notify of ['ops', ['ops', 'chat'], []]) expect(pointers({ ...specs[strategy], notify })).toEqual([]);
    expect(pointers({ ...specs[strategy], notify: 'not a name' })).toEqual(['/notify']);
    expect(pointers({ ...specs[strategy], notify: ['ops', 7] })).toEqual(['/notify/1']);
  });
});

test('five mistakes are five problems, each with its pointer', () => {
  const spec = {
    name: 'Payments Cents',
    strategy: 'expand-contrat',
    target: 'shop',
    tabel: 'public.payments',
    changes: [{ type: 'amount', to: 'amount_cents bigint', up: 'round(amount * 100', down: 'amount_cents / 100.0' }],
  };
  expect(pointers(spec)).toEqual(['/changes/0/up', '/name', '/strategy', '/tabel', '/table']);
});

test.each([
  ['not an object', 5, ['']],
  ['no changes', { ...centsSpec, changes: [] }, ['/changes']],
  ['a change of no kind', { ...centsSpec, changes: [{ reverse: 'a' }] }, ['/changes/0']],
  ['a change of two kinds', { ...centsSpec, changes: [{ add: 'a int', drop: 'b' }] }, ['/changes/0/drop']],
  [
    'an unknown answer to misfits',
    { ...centsSpec, changes: [{ ...centsSpec.changes[0], misfits: 'ignore' }] },
    ['/changes/0/misfits'],
  ],
  ['a drop with up', { ...centsSpec, changes: [{ drop: 'a', up: '1' }] }, ['/changes/0/up']],
  [
    'a column dropped and renewed',
    { ...centsSpec, changes: [...centsSpec.changes, { drop: 'amount' }] },
    ['/changes/1/drop'],
  ],
  ['a table without its schema', { ...centsSpec, table: 'payments' }, ['/table']],
  ['a grace that is no duration', { ...centsSpec, contract: { after: 'a week' } }, ['/contract/after']],
  ['a cutover without proof and without a person', { ...centsSpec, cutover: { approve: false } }, ['/cutover/approve']],
  ['a drop without a person', { ...centsSpec, contract: { approve: false } }, ['/contract/approve']],
  ['a grace of years', { ...centsSpec, contract: { after: '1000d' } }, ['/contract/after']],
  ['an unknown conflict policy', { ...centsSpec, conflict: 'newest-wins' }, ['/conflict']],
  ['a protection that is no factor', { ...centsSpec, protect: { p99: '150%' } }, ['/protect/p99']],
  ['a protection that protects nothing', { ...centsSpec, protect: { p99: '1x' } }, ['/protect/p99']],
  ['two sources at once', { ...centsSpec, protect: { metrics: 'shop', probe: true } }, ['/protect/probe']],
  ['a bound without a source', { ...centsSpec, protect: { probe: false, p99: '2x' } }, ['/protect/p99']],
  ['a rate of zero', { ...centsSpec, backfill: { rate: 0 } }, ['/backfill/rate']],
  [
    'a column that is named twice',
    { ...centsSpec, changes: [...centsSpec.changes, { add: 'amount_cents int' }] },
    ['/changes/1/add'],
  ],
  ['a type with more in it', { ...centsSpec, changes: [{ add: 'a int; drop table payments' }] }, ['/changes/0/add']],
  ['a type with a default in it', { ...centsSpec, changes: [{ add: "a int DEFAULT 'x'" }] }, ['/changes/0/add']],
])('%s is refused where it stands', (_, spec, expected) => {
  expect(pointers(spec)).toEqual(expected);
});

test('a misspelt name is answered with the nearest one', () => {
  const checked = checkSpec({ ...centsSpec, strategy: 'expand-contrct', onFailur: 'park' });
  expect(checked).toMatchObject({
    problems: [
      { pointer: '/strategy', didYouMean: 'expand-contract' },
      { pointer: '/onFailur', didYouMean: 'onFailure' },
    ],
  });
});

describe('an expression', () => {
  test.each([
    'round(amount * 100)',
    "coalesce(note, 'it''s; --')",
    "E'a\\'b' || note",
    '"odd "" name" + 1',
    "CASE WHEN a > 1 THEN 'x' ELSE 'y' END",
    "data ->> 'key'",
    'tags[1]',
  ])('may be %s', (expression) => {
    expect(expressionFault(expression)).toBeNull();
  });

  test.each([
    ['', 'is empty'],
    ['amount) , (1', 'closes a parenthesis that it has not opened'],
    ['(amount', 'has a parenthesis that is not closed'],
    ['1; DROP TABLE payments', 'holds a semicolon'],
    ['amount -- all', 'holds a comment'],
    ['amount /* all', 'holds a comment'],
    ["'open", 'has a quote that is not closed'],
    ['"open', 'has a quote that is not closed'],
    ["E'\\'", 'has a quote that is not closed'],
    ['$1', 'holds a dollar sign'],
    ['$$x$$', 'holds a dollar sign'],
    ["U&'\\0061'", 'holds a text with Unicode escapes'],
    ['x'.repeat(2_001), 'has 2001 characters; at most 2000 are allowed'],
  ])('%j is refused: it %s', (expression, fault) => {
    expect(expressionFault(expression)).toBe(fault);
  });
});
