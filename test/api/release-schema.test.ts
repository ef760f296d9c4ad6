import { Ajv } from 'ajv';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { specJsonSchema } from '../../api/schemas/spec-json-schema.ts';
import { routers, strategies } from '../../contracts/catalog.ts';
import type { ModelSpec } from '../../contracts/model-spec.ts';
import type { ReleaseSpec } from '../../contracts/release-spec.ts';
import { checkSpec } from '../../decisions/check-spec.ts';
import {
  blueGreenSpec,
  canarySpec,
  everyRoute,
  everySeen,
  flagSpec,
  fullReleases,
  recreateSpec,
  rollingSpec,
  withField,
  type Path,
} from '../support/release-specs.ts';

const accepts = new Ajv({ strict: true, allErrors: true, allowUnionTypes: true }).compile(specJsonSchema);
const takes = (spec: unknown): boolean => accepts(spec);

test('every strategy of a release is tried here, and every router of a canary', () => {
  const tried = new Set(fullReleases.map(({ strategy }) => strategy));
  // a release is made of the others; its parts have their own tests
  const ofPods = strategies.filter((name) => name !== 'expand-contract' && name !== 'release');
  expect([...tried].sort()).toEqual(ofPods.toSorted());
  expect(Object.keys(everyRoute).sort()).toEqual(routers.filter((name) => name !== 'service').toSorted());
});

const taken: readonly (readonly [string, unknown])[] = [
  ...fullReleases.map((spec) => [`${spec.name} with every field`, spec] as const),
  ...Object.entries(everyRoute)
    .filter(([via]) => via !== 'flag')
    .map(([via, route]) => [`a canary by ${via}`, { ...canarySpec, route }] as const),
  ...Object.entries(everySeen).map(([by, seen]) => [`a canary seen by ${by}`, { ...canarySpec, seen }] as const),
];
test.each(taken)('%s is taken by the schema and by the check', (_, spec) => {
  const written = stringify(spec);
  expect([takes(spec), takes(parse(written)), checkSpec(parse(written)).ok]).toEqual([true, true, true]);
});

/** The paths of all fields of a value. */
const pathsOf = (value: unknown, path: Path = []): Path[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, item]) => {
        const at = [...path, Array.isArray(value) ? Number(key) : key];
        return [at, ...pathsOf(item, at)];
      });

describe('what a field may not be', () => {
  const below = (spec: ReleaseSpec, field: string): [ReleaseSpec | ModelSpec, Path[]] => [
    spec,
    pathsOf(spec).filter(([first]) => first === field),
  ];
  const cases: readonly (readonly [ReleaseSpec | ModelSpec, readonly Path[]])[] = [
    ...fullReleases.map((spec) => [spec, pathsOf(spec)] as const),
    ...Object.values(everyRoute).map((route) => below({ ...canarySpec, route }, 'route')),
    ...Object.values(everySeen).map((seen) => below({ ...canarySpec, seen }, 'seen')),
  ];
  const wrong: readonly unknown[] = [
    null,
    true,
    false,
    0,
    -1,
    2.5,
    1e12,
    '',
    ' ',
    'a b',
    '-',
    [],
    {},
    { x: 1 },
    undefined,
  ];

  test('is the same to both, of every field of every release, for a dozen of values', () => {
    const differ: unknown[] = [];
    let refused = 0;
    for (const [spec, paths] of cases) {
      for (const path of paths) {
        for (const value of wrong) {
          // a step that goes makes another one the last: that is between fields
          if (value === undefined && typeof path.at(-1) === 'number') continue;
          const changed = withField(spec, path, value);
          const checked = checkSpec(changed);
          refused += checked.ok ? 0 : 1;
          if (takes(changed) !== checked.ok) differ.push([spec.strategy, path.join('/'), value, checked.ok]);
        }
      }
    }
    expect(differ).toEqual([]);
    expect(refused).toBeGreaterThan(1_000);
  });

  test('is a field that nobody knows, wherever it stands', () => {
    for (const [spec, paths] of cases) {
      const objects = [[], ...paths].filter((path) => isObject(path, spec));
      for (const path of objects) {
        const changed = withField(spec, [...path, 'nobody-knows'], { a: 1 });
        expect([path, takes(changed), checkSpec(changed).ok]).toEqual([path, false, false]);
      }
    }
  });
});

function isObject(path: Path, spec: ReleaseSpec | ModelSpec): boolean {
  const value = path.reduce<unknown>((at, key) => (at as Record<string | number, unknown>)[key], spec);
  // images are a map by container, and any field there is one more container
  return (
    typeof value === 'object' && !Array.isArray(value) && !['images', 'env', 'headers'].includes(String(path.at(-1)))
  );
}

test.each<[string, ReleaseSpec, Path, unknown]>([
  ['an image with a blank', rollingSpec, ['images', 'worker'], 'a b'],
  ['a share above all pods', rollingSpec, ['surge'], '101%'],
  ['a workload without a namespace', rollingSpec, ['workload'], 'worker'],
  ['a route by nobody', canarySpec, ['route', 'via'], 'traefik'],
  ['a canary by a selector', canarySpec, ['route', 'via'], 'service'],
  ['an address with a password', canarySpec, ['seen', 'url'], 'http://me:secret@checkout/'],
  ['a header and a member at once', canarySpec, ['seen', 'json'], '/a'],
  ['a percentage above 100', canarySpec, ['checks', 'errors', 'max'], '100.5%'],
  ['five windows of none', canarySpec, ['checks', 'fail'], '5 of 0'],
  ['a flag with pods', flagSpec, ['images'], { app: 'a:1' }],
  ['pods with a flag', canarySpec, ['route'], everyRoute['flag']],
  ['a port that is none', blueGreenSpec, ['validate', 'probes', 1, 'tcp'], 'trino:65536'],
  ['a command without words', canarySpec, ['dependencies', 2, 'probe', 'command'], []],
  ['a command in something else', canarySpec, ['dependencies', 2, 'probe', 'kind'], 'Job'],
  ['a word of a command with a zero in it', canarySpec, ['dependencies', 2, 'probe', 'command', 0], 'a\u0000b'],
  ['a word of a command that has no end', canarySpec, ['dependencies', 2, 'probe', 'command', 0], 'a'.repeat(1_001)],
  ['a downtime that nobody accepts', recreateSpec, ['accept'], undefined],
  ['a downtime that nobody approves', recreateSpec, ['approve'], false],
])('%s is refused by both', (_, spec, path, value) => {
  const changed = withField(spec, path, value);
  expect([takes(changed), checkSpec(changed).ok]).toEqual([false, false]);
});

/** What only the check can see: how one field has to be to another, and how long a time is. */
test.each<[string, ReleaseSpec, Path, unknown]>([
  ['weights that fall', canarySpec, ['steps', 1, 'weight'], 4],
  ['sides of one name', flagSpec, ['route', 'candidate'], 'off'],
  ['dependencies of one name', blueGreenSpec, ['dependencies', 1, 'name'], 'scores-db'],
  ['a dependency that is looked at without a rest', canarySpec, ['dependencies', 0, 'every'], '10ms'],
  ['more answers than tries', blueGreenSpec, ['validate', 'tries'], 2],
  ['a time above a year', rollingSpec, ['grace'], '400d'],
  ['looks without a pause', canarySpec, ['every'], '0s'],
])('%s: the check refuses them, the schema has no words for it', (_, spec, path, value) => {
  const changed = withField(spec, path, value);
  expect([takes(changed), checkSpec(changed).ok]).toEqual([true, false]);
});

const texts = fc.oneof(
  fc.constantFrom(
    '5m',
    'P1D',
    '1.5h',
    '50%',
    '100.0 %',
    '3 of 5',
    'a/b',
    'a:1',
    'http://a',
    'https://a?b',
    '/a~1b',
    'x#y',
  ),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.stringMatching(/^[a-zA-Z0-9./:%# -]{1,12}$/),
);
const values = fc.oneof(texts, fc.integer({ min: -1, max: 110 }), fc.boolean(), fc.constant(undefined));

test('what the check takes, the schema takes, whatever stands in two of its fields', () => {
  let good = 0;
  fc.assert(
    fc.property(fc.constantFrom(...fullReleases), fc.infiniteStream(fc.nat()), values, values, (spec, nats, a, b) => {
      const paths = pathsOf(spec);
      const pick = (): Path => paths[(nats.next().value ?? 0) % paths.length] ?? [];
      const once = withField(spec, pick(), a);
      const twice = withField(once as ReleaseSpec, pick().slice(0, 1), b);
      for (const changed of [once, twice]) {
        if (!checkSpec(changed).ok) continue;
        good += 1;
        if (!takes(changed)) throw new Error(JSON.stringify(accepts.errors?.slice(0, 3)));
      }
    }),
    { numRuns: 2_000 },
  );
  // otherwise nothing was shown
  expect(good).toBeGreaterThan(200);
});
