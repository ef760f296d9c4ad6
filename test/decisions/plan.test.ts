import { hashOf, sha256 } from '../../decisions/hash.ts';
import { planDeployment } from '../../decisions/plan-deployment.ts';
import { parseDuration } from '../../decisions/duration.ts';
import { nearest } from '../../decisions/nearest.ts';
import { createHash } from 'node:crypto';
import type { TableFacts } from '../../contracts/facts.ts';
import type { TableSpec } from '../../contracts/spec.ts';
import { accepted, tableFacts } from '../support/facts.ts';
import { centsSpec, stageOf } from '../support/sql-world.ts';

const plan = (spec: TableSpec = centsSpec, facts: Partial<TableFacts> = {}) =>
  planDeployment({
    spec,
    facts: tableFacts(facts),
    dialect: 'postgres',
    environment: 'test',
    taskQueue: 'q',
    homeSchema: 'lakeshift',
  });
const made = (spec?: TableSpec, facts?: Partial<TableFacts>) => {
  const result = plan(spec, facts);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.plan;
};

test('a plan has its stages in order, and only the last one can not be taken back', () => {
  expect(made().stages.map(({ kind }) => kind)).toEqual([
    'preflight',
    'expand',
    'backfill',
    'build',
    'verify',
    'cutover',
    'grace',
    'contract',
  ]);
  expect(
    made()
      .stages.filter(({ undoTitle }) => undoTitle === null)
      .map(({ name }) => name),
  ).toEqual(['contract']);
  expect(made().risk.pointOfNoReturn).toBe('contract');
});

test('equal spec and facts give an equal plan; any difference gives another hash', () => {
  expect(made().hash).toBe(made().hash);
  const others = [
    made({ ...centsSpec, contract: { after: '8d' } }),
    made(centsSpec, { rows: 5 }),
    made({ ...centsSpec, conflict: 'new-wins' }),
  ];
  expect(new Set([made().hash, ...others.map(({ hash }) => hash)]).size).toBe(4);
  const { hash, ...rest } = made();
  expect(hashOf(rest)).toBe(hash);
});

test('the contract always waits for an approval, and the cutover for a person unless another deployment proves it', () => {
  expect(stageOf(made(), 'contract').approve).toEqual({ group: null, count: 1, notByAuthor: false });
  expect(stageOf(made(), 'cutover').approve).not.toBeNull();
  expect(stageOf(made({ ...centsSpec, cutover: { after: 'checkout-4-2' } }), 'cutover').approve).toBeNull();
  const strict = made({ ...centsSpec, contract: { approve: 'dba', notBy: 'author', approvals: 2 } });
  expect(stageOf(strict, 'contract').approve).toEqual({ group: 'dba', count: 2, notByAuthor: true });
});

test('adding a plain column is safe and rewrites nothing; converting one is unsafe, with the reason', () => {
  const added = made({ ...centsSpec, changes: [{ add: 'remark text' }] }, { expressions: [] });
  expect(added.changes).toEqual([expect.objectContaining({ class: 'safe' })]);
  expect(stageOf(added, 'backfill').needed).toBe(false);
  expect(stageOf(added, 'expand').perform.statements.some(({ sql }) => sql.includes('TRIGGER'))).toBe(false);
  expect(made().changes).toEqual([
    { change: 'amount numeric(12,2) → amount_cents bigint', class: 'unsafe', because: made().changes[0]?.because },
  ]);
});

test.each<[string, Partial<TableFacts>, string, string]>([
  [
    'a table that is not there',
    { oid: null, tablesNearby: ['public.payment', 'public.users'] },
    '/table',
    'public.payment',
  ],
  ['a view', { kind: 'v' }, '/table', 'view'],
  [
    'a table with a foreign partition',
    { kind: 'p', partitions: [{ name: 'far', oid: 1, kind: 'f', pages: 0 }] },
    '/table',
    'far',
  ],
  ["somebody else's table", { rights: { ...tableFacts().rights, ownsTable: false } }, '/table', 'owner'],
  ['hidden rows', { rowSecurity: true }, '/table', 'row-level security'],
  [
    'a column that is not there',
    { columns: tableFacts().columns.map((c) => (c.name === 'amount' ? { ...c, name: 'amounts' } : c)) },
    '/changes/0/type',
    'amounts',
  ],
  [
    'a new column that is there',
    {
      columns: [
        ...tableFacts().columns,
        {
          ...tableFacts().columns[0],
          name: 'amount_cents',
          type: 'int',
          notNull: false,
          hasDefault: false,
          constantDefault: null,
          generated: 'no',
        },
      ],
    },
    '/changes/0/to',
    'there already',
  ],
  ['a column of the key', { key: [{ name: 'amount', type: 'numeric' }] }, '/changes/0/type', 'key'],
  [
    'an unknown function',
    { expressions: [{ ...accepted('/changes/0/up'), ok: false, code: '42883' }] },
    '/changes/0/up',
    'function',
  ],
  [
    'an expression that is not immutable',
    { expressions: [{ ...accepted('/changes/0/up'), ok: false, code: '42P17' }] },
    '/changes/0/up',
    'immutable',
  ],
  [
    'an unknown column in an expression',
    { expressions: [{ ...accepted('/changes/0/up'), ok: false, code: '42703', name: 'amout' }] },
    '/changes/0/up',
    'amount',
  ],
  [
    'an up that reads another column',
    { expressions: [accepted('/changes/0/up', ['amount', 'note'])] },
    '/changes/0/up',
    'note',
  ],
])('%s is refused by name', (_, facts, pointer, word) => {
  const result = plan(centsSpec, facts);
  if (result.ok) throw new Error('was planned');
  const problem = result.problems.find((candidate) => candidate.pointer === pointer);
  expect(JSON.stringify(problem)).toContain(word);
});

test('passes take all rows of a page, the first as much as has to leave it, each next one less', () => {
  const parts = (over: Partial<TableFacts>) => stageOf(made(centsSpec, over), 'backfill').parts ?? [];
  expect(parts({ rows: 1_000, pages: 1_000 })).toEqual(['true']);
  expect(parts({}).slice(0, 2)).toEqual(['"id" % 79 < 9', '"id" % 79 >= 9 AND "id" % 79 < 18']);
  expect(parts({}).at(-1)).toMatch(/^"id" % 79 >= \d+$/);
  expect(parts({ key: [{ name: 'id', type: 'uuid' }] })[0]).toBe('abs(hashtid(ctid) % 97) < 10');
  expect(parts({ fillfactor: 80 }).length).toBeLessThan(parts({}).length);
  expect(stageOf(made(), 'backfill').stripes).toBe(parts({}).length);
});

test('sha256 agrees with the standard library', () => {
  for (const text of ['', 'abc', 'é€😀', 'x'.repeat(55), 'x'.repeat(56), 'x'.repeat(64), 'x'.repeat(1_000)]) {
    expect(sha256(text)).toBe(createHash('sha256').update(text).digest('hex'));
  }
});

test.each([
  ['90s', 90_000],
  ['1h30m', 5_400_000],
  ['7d', 604_800_000],
  ['1.5s', 1_500],
  ['P7DT12H', 648_000_000],
  ['PT0.5S', 500],
  ['', null],
  ['P', null],
  ['7', null],
  ['7x', null],
  ['PT', null],
])('the duration %j is %s ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test('the nearest name is near, or none', () => {
  expect(nearest('amout', ['amount', 'id'])).toBe('amount');
  expect(nearest('zzz', ['amount', 'id'])).toBeNull();
});
