import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { TableSpecSchema } from '../../api/schemas/table-spec.ts';
import { specJsonSchema } from '../../api/schemas/spec-json-schema.ts';
import { checkSpec } from '../../decisions/check-spec.ts';
import { nameForms } from '../../decisions/sql/postgres/identifier.ts';
import { lakeshift } from '../cli/support/run.ts';
import { allPages, blocksOf, root } from '../docs/pages.ts';
import { centsSpec } from '../support/sql-world.ts';
import { startService } from './support/service.ts';

const file = join(root, 'contracts/spec.schema.json');
// strict: a keyword that ajv does not know would be one that an editor passes over
const accepts = new Ajv({ strict: true, allErrors: true, allowUnionTypes: true }).compile(specJsonSchema);
const faults = (spec: unknown): string[] => {
  accepts(spec);
  return (accepts.errors ?? []).map(({ instancePath, message = '' }) => `${instancePath} ${message}`);
};

test('the file in the repository is the schema that the API serves; `node tools/run.mjs tools/write-spec-schema.ts` makes it so', async () => {
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(JSON.stringify(specJsonSchema)));
  const service = await startService();
  const answer = await service.app.inject({ url: '/schemas/spec.json' });
  await service.close();
  expect(answer.headers['content-type']).toMatch(/^application\/schema\+json/);
  expect(answer.json()).toEqual(JSON.parse(readFileSync(file, 'utf8')));
});

test('`lakeshift schema` prints it without any service', async () => {
  const { code, out } = await lakeshift(['schema'], { api: 'http://127.0.0.1:1' });
  expect([code, out]).toEqual([0, readFileSync(file, 'utf8')]);
});

test('every field says what it is, and every text that people write has an example, a list or a default', () => {
  const bare: string[] = [];
  const look = (schema: Record<string, unknown>, place: string): void => {
    if (typeof schema['description'] !== 'string') bare.push(`${place} has no description`);
    const helped = ['examples', 'enum', 'default', 'const'].some((key) => schema[key] !== undefined);
    if (schema['type'] === 'string' && !helped) bare.push(`${place} has no example`);
    for (const part of (schema['anyOf'] ?? []) as Record<string, unknown>[]) look(part, place);
    if (schema['items'] !== undefined) look(schema['items'] as Record<string, unknown>, `${place}[]`);
    for (const [name, part] of Object.entries(schema['properties'] ?? {})) look(part as never, `${place}/${name}`);
  };
  look(specJsonSchema as Record<string, unknown>, '');
  expect(bare).toEqual([]);
});

test('the examples in it are taken by it', () => {
  const bad: unknown[] = [];
  const look = (schema: Record<string, unknown>): void => {
    const takes = new Ajv().compile(schema);
    bad.push(...((schema['examples'] ?? []) as unknown[]).filter((example) => !takes(example)));
    for (const part of (schema['anyOf'] ?? []) as Record<string, unknown>[]) look(part);
    if (schema['items'] !== undefined) look(schema['items'] as Record<string, unknown>);
    Object.values(schema['properties'] ?? {}).forEach((part) => look(part as never));
  };
  look({ ...specJsonSchema });
  expect(bad).toEqual([]);
});

describe('the schema takes', () => {
  const folder = join(root, 'examples');
  const examples = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  test.each(examples)('the example %s, which names the schema for editors', (name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    expect(faults(parse(text))).toEqual([]);
    const named = /^# yaml-language-server: \$schema=(\S+)$/m.exec(text)?.[1] ?? 'none';
    expect(join(folder, named)).toBe(file);
  });

  const written = allPages()
    .flatMap(blocksOf)
    .filter(({ language, code }) => language === 'yaml' && code.includes('strategy:'));
  test.each(written.map(({ page, code }, index) => [`${page} #${index}`, code]))('the spec in %s', (_, code) => {
    expect(faults(parse(code))).toEqual([]);
  });
});

/** A spec with one field somewhere else; a path of keys. */
const withField = (path: readonly (string | number)[], value: unknown): unknown => {
  const copy = structuredClone(centsSpec) as unknown as Record<string | number, unknown>;
  let at = copy;
  for (const key of path.slice(0, -1)) at = (at[key] ??= {}) as typeof at;
  const last = path.at(-1) ?? '';
  if (value === undefined) Reflect.deleteProperty(at, last);
  else at[last] = value;
  return copy;
};

const refused: readonly [string, readonly (string | number)[], unknown][] = [
  ['no name', ['name'], undefined],
  ['a name with capitals', ['name'], 'Payments'],
  ['a name with a dash at its end', ['name'], 'payments-'],
  ['a name of 51 characters', ['name'], 'a'.repeat(51)],
  ['an unknown strategy', ['strategy'], 'expand'],
  ['a target with a blank', ['target'], 'my shop'],
  ['a table without its schema', ['table'], 'payments'],
  ['a table that is a number', ['table'], 7],
  ['an unknown field', ['tabel'], 'public.payments'],
  ['no changes', ['changes'], []],
  ['too many changes', ['changes'], Array.from({ length: 21 }, (_, i) => ({ add: `c${i} int` }))],
  ['a change that is neither', ['changes', 0], { alter: 'a' }],
  ['a change with an unknown field', ['changes', 0, 'sql'], 'x'],
  ['a drop with more in it', ['changes', 0], { drop: 'a', up: 'b' }],
  ['a column that may not be empty, without its name', ['changes', 0], { notNull: '' }],
  ['an unknown policy for misfits', ['changes', 0, 'misfits'], 'ignore'],
  ['nothing to leave behind', ['changes', 0, 'leaveBehind'], []],
  ['a rename to a name and a type', ['changes', 0], { rename: 'a', to: 'b int' }],
  ['a column without a type', ['changes', 0, 'to'], 'amount_cents'],
  ['an empty expression', ['changes', 0, 'up'], '  '],
  ['an expression that is too long', ['changes', 0, 'up'], 'x'.repeat(2_001)],
  ['an unknown policy', ['conflict'], 'newest-wins'],
  ['a rate of 0', ['backfill', 'rate'], 0],
  ['half a row per second', ['backfill', 'rate'], 1.5],
  ['a rate without bound', ['backfill', 'rate'], 10_000_001],
  ['an empty release', ['cutover', 'after'], ' '],
  ['a group with a blank', ['cutover', 'approve'], 'the dba'],
  ['a duration in words', ['contract', 'after'], 'a week'],
  ['an empty duration', ['contract', 'after'], 'P'],
  ['a drop that nobody approves', ['contract', 'approve'], false],
  ['nobody in particular', ['contract', 'notBy'], 'anybody'],
  ['no approvals', ['contract', 'approvals'], 0],
  ['eleven approvals', ['contract', 'approvals'], 11],
  ['an unknown failure policy', ['onFailure'], 'ignore'],
];

test.each(refused)('%s is refused by the schema and by the check', (_, path, value) => {
  const spec = withField(path, value);
  expect(checkSpec(spec).ok).toBe(false);
  expect(faults(spec)).not.toEqual([]);
});

/** Values of a field: mostly such as the check takes, often strange ones, some wrong. */
const part = fc.oneof(
  fc.constantFrom('a', 'Amount', '_x$1', '"odd ""name"', '"\u{1f600}"', '"a.b"', '"\n"'),
  fc.string({ unit: 'grapheme', maxLength: 5 }).map((text) => `"${text.replaceAll('"', '""')}"`),
);
const blank = fc.constantFrom('', ' ', '\t', '\n', '\u00a0 ');
const type = fc.constantFrom('bigint', 'numeric(12, 2)', 'timestamp (3) with time zone', 'pg_catalog."int4"[]', 'x;');
const column = fc.tuple(blank, part, fc.constantFrom(' ', '\n', ''), type, blank).map((parts) => parts.join(''));
const expression = fc.oneof(
  fc.constantFrom('a', ' a\n', "'x;--'", "\"ü\" || E'\\''", 'round(a * 100)', '', '$1', '\u{1f600}'.repeat(1_000)),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
);
interface FieldSchema {
  readonly enum?: readonly string[];
  readonly pattern?: string;
}
interface ChangeSchema {
  readonly properties: Readonly<Record<string, FieldSchema>>;
  readonly required: readonly string[];
}
/** The kinds of change as the schema has them: a new one is tried by itself; that none is missing is shown elsewhere. */
const changeKinds = TableSpecSchema.properties.changes.items.anyOf as unknown as readonly ChangeSchema[];
const valueOf = ({ enum: words, pattern }: FieldSchema): fc.Arbitrary<string> => {
  if (words !== undefined) return fc.constantFrom(...words);
  if (pattern === nameForms.column.source) return column;
  return pattern === nameForms.name.source ? part : expression;
};
const changeOf = ({ properties, required }: ChangeSchema): fc.Arbitrary<object> =>
  fc.record(Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, valueOf(field)])), {
    requiredKeys: [...required],
  });
const approve = fc.oneof(fc.boolean(), fc.constantFrom('dba', 'a@b.c', '', 'x'.repeat(60), 'the dba'));
const unit = fc.constantFrom('ms', 's', 'm', 'h', 'd', 'w', 'y');
const duration = fc.oneof(
  fc.array(fc.tuple(fc.nat(400), fc.constantFrom('', '.5', '.'), unit)).map((parts) => parts.flat().join('')),
  fc.constantFrom('P7D', 'P1WT12H', 'PT0.5S', 'P', 'PT', 'P1DT', '-1d', '7 d'),
);
const optional = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(fields, { requiredKeys: [] });
const anySpec = fc.record(
  {
    name: fc.oneof(fc.stringMatching(/^[a-z0-9-]{1,51}$/), fc.constant('payments-cents')),
    strategy: fc.constant('expand-contract'),
    target: fc.stringMatching(/^[\w.-]{1,61}$/),
    table: fc.tuple(blank, part, blank, fc.constantFrom('.', ''), blank, part, blank).map((parts) => parts.join('')),
    changes: fc.array(fc.oneof(...changeKinds.map(changeOf)), { minLength: 1, maxLength: 3 }),
    conflict: fc.constantFrom('old-wins', 'new-wins'),
    backfill: optional({ rate: fc.oneof(fc.integer({ min: 0, max: 10_000_001 }), fc.constant(5.0)) }),
    cutover: optional({ after: fc.string({ unit: 'grapheme', maxLength: 4 }), approve }),
    contract: optional({
      after: duration,
      approve,
      notBy: fc.constant('author'),
      approvals: fc.integer({ min: 0, max: 11 }),
    }),
    onFailure: fc.constantFrom('park', 'rollback'),
  },
  { requiredKeys: ['name', 'strategy', 'target', 'table', 'changes'] },
);

/** So many wrong values at once that a spec is hardly ever right: a few of these go into one that is. */
const fields = ['name', 'target', 'table', 'changes', 'backfill', 'cutover', 'contract', 'onFailure'] as const;

test('what the check takes, the schema takes; also when it has been written as YAML and read again', () => {
  let taken = 0;
  fc.assert(
    fc.property(anySpec, fc.subarray([...fields], { minLength: 1, maxLength: 3 }), (strange, some) => {
      const spec = { ...centsSpec, ...Object.fromEntries(some.map((field) => [field, strange[field]])) };
      if (!checkSpec(spec).ok) return;
      taken += 1;
      expect(faults(spec)).toEqual([]);
      expect(faults(parse(stringify(spec)))).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
  // otherwise nothing was shown
  expect(taken).toBeGreaterThan(300);
});
