import type { CanarySpec, ReleaseSpec } from '../../contracts/release-spec.ts';
import { checkSpec } from '../../decisions/check-spec.ts';
import { namesUsed } from '../../decisions/names-used.ts';
import {
  blueGreenSpec,
  canarySpec,
  checks,
  everyRoute,
  everySeen,
  flagSpec,
  fullReleases,
  recreateSpec,
  rollingSpec,
  withField,
  type Path,
} from '../support/release-specs.ts';

const problemsOf = (value: unknown) => {
  const checked = checkSpec(value);
  return checked.ok ? [] : checked.problems;
};

describe('a release is taken', () => {
  test.each(fullReleases.map((spec) => [spec.name, spec]))('with every field: %s', (_, spec) => {
    expect(checkSpec(spec)).toEqual({ ok: true, spec });
  });

  test.each(Object.entries(everyRoute).filter(([via]) => via !== 'flag'))('by %s', (_, route) => {
    expect(problemsOf({ ...canarySpec, route })).toEqual([]);
  });

  test.each(Object.entries(everySeen))('seen by %s', (_, seen) => {
    expect(problemsOf({ ...canarySpec, seen })).toEqual([]);
  });

  test.each<[string, ReleaseSpec, Path]>([
    ['a canary', canarySpec, ['steps']],
    ['a canary', canarySpec, ['checks']],
    ['a blue-green', blueGreenSpec, ['validate']],
    ['a blue-green', blueGreenSpec, ['watch']],
    ['a recreate', recreateSpec, ['approve']],
    ['a rolling', rollingSpec, ['surge']],
  ])('as %s without %3$j', (_, spec, path) => {
    expect(problemsOf(withField(spec, path, undefined))).toEqual([]);
  });
});

describe('one mistake is one problem, which says where it is, what it is and what is allowed', () => {
  test.each<[ReleaseSpec, Path, unknown, string | RegExp]>([
    [rollingSpec, ['workload'], 'spark-worker', 'must be namespace/name: it is "spark-worker"'],
    [rollingSpec, ['workload'], undefined, 'is missing'],
    [rollingSpec, ['images', 'worker'], 'a b', /without spaces.*: it is "a b"$/],
    [rollingSpec, ['surge'], 1_001, /from 0 to 1000, or a percentage.*: it is 1001$/],
    [rollingSpec, ['surge'], '101%', /: it is "101%"$/],
    [rollingSpec, ['unavailable'], -1, /: it is -1$/],
    [rollingSpec, ['grace'], '5 minutes', 'is not a duration; write 90s, 12h, 7d or P7D: it is "5 minutes"'],
    [rollingSpec, ['grace'], '400d', 'is longer than a year: it is "400d"'],
    [rollingSpec, ['deadline'], '10ms', 'must be 1s or longer: it is "10ms"'],
    [rollingSpec, ['approve'], 'the owners', 'must be true, false or the name of a group'],
    [rollingSpec, ['onFailure'], 'ignore', 'must be one of park, rollback'],
    [canarySpec, ['route'], 'nginx', 'must be an object, not a string'],
    [canarySpec, ['route', 'via'], undefined, 'is missing'],
    [canarySpec, ['route', 'via'], 'traefik', /^must be one of gateway-api, istio, haproxy, nginx, flag$/],
    [canarySpec, ['route', 'via'], 'service', /^must be one of gateway-api, istio, haproxy, nginx, flag$/],
    [canarySpec, ['route', 'name'], 'Checkout', /name of an object in the cluster: it is "Checkout"$/],
    [canarySpec, ['route', 'match', 'value'], 'a;b', /1 to 100 letters, digits, dashes and underscores$/],
    [canarySpec, ['seen'], undefined, 'is missing'],
    [canarySpec, ['seen', 'url'], 'checkout/version', /^must begin with http/],
    [canarySpec, ['seen', 'url'], 'http://me:secret@checkout/', /neither spaces nor a user or password$/],
    [canarySpec, ['seen', 'header'], 'x version', /name of a header: it is "x version"$/],
    [canarySpec, ['seen', 'json'], '/version', 'is not a field of a spec here'],
    [canarySpec, ['seen', 'requests'], 49, 'must be a whole number from 50 to 100000: it is 49'],
    [canarySpec, ['steps'], [], 'must have 1 to 50 items, not 0'],
    [canarySpec, ['steps', 0, 'weight'], 0, 'must be a whole number from 1 to 100: it is 0'],
    [canarySpec, ['steps', 0, 'weight'], 2.5, 'must be a whole number from 1 to 100: it is 2.5'],
    [canarySpec, ['steps', 0, 'onFail'], 100, 'must be a whole number from 0 to 99: it is 100'],
    [canarySpec, ['steps', 0, 'onFail'], 'stop', 'must be one of rollback, hold'],
    [canarySpec, ['steps', 0, 'checks', 'metrics'], 'a b', /name of a metrics source: it is "a b"$/],
    [canarySpec, ['steps', 2, 'weight'], 20, 'must be above 25, the weight before: it is 20'],
    [canarySpec, ['steps', 3, 'weight'], 99, 'must be 100 in the last step: it is 99'],
    [canarySpec, ['steps', 1, 'onFail'], 25, "must be below the step's own weight 25: it is 25"],
    [canarySpec, ['checks', 'errors', 'max'], '101%', /^must be a percentage from 0% to 100%.*: it is "101%"$/],
    [canarySpec, ['checks', 'p99', 'max'], 'fast', 'must be a time such as 300ms: it is "fast"'],
    [canarySpec, ['checks', 'p95', 'query'], ' ', 'is empty'],
    [canarySpec, ['checks', 'fail'], '6 of 5', /^must be so many of so many windows.*: it is "6 of 5"$/],
    [canarySpec, ['checks', 'window'], '0s', 'must be 1s or longer: it is "0s"'],
    [canarySpec, ['checks', 'atLeast'], 0, 'must be a whole number from 1 to 1000000000: it is 0'],
    [canarySpec, ['every'], '0s', 'must be 1s or longer: it is "0s"'],
    [canarySpec, ['service'], undefined, 'is missing'],
    [canarySpec, ['images'], undefined, 'is missing'],
    [flagSpec, ['images'], { app: 'a:1' }, 'is of no use with a flag: no pods are brought up'],
    [flagSpec, ['drain'], '10s', 'is of no use with a flag: no pods are brought up'],
    [flagSpec, ['route', 'candidate'], 'off', 'must differ from the stable side: both are off'],
    [flagSpec, ['route', 'flag'], '', 'is empty'],
    [blueGreenSpec, ['service'], 'trino', 'must be namespace/name: it is "trino"'],
    [blueGreenSpec, ['slots', 'green'], 'trino-blue', 'must be another Deployment than blue: both are trino-blue'],
    [blueGreenSpec, ['slots', 'label'], 'my slot', 'must be the name of a label: it is "my slot"'],
    [canarySpec, ['dependencies', 1, 'name'], 'scores-db', 'must differ from those of the others: scores-db'],
    [canarySpec, ['dependencies', 0, 'every'], '10ms', 'must be 1s or longer: it is "10ms"'],
    [blueGreenSpec, ['validate', 'needs'], 31, 'must be at most 30, the number of tries: it is 31'],
    [blueGreenSpec, ['validate', 'probes'], [], 'must have 1 to 10 items, not 0'],
    [blueGreenSpec, ['validate', 'probes', 0, 'status'], 99, 'must be a whole number from 100 to 599: it is 99'],
    [blueGreenSpec, ['validate', 'probes', 1, 'tcp'], 'trino:65536', /^must be host:port, with a port from 1 to 65535/],
    [blueGreenSpec, ['validate', 'probes', 1, 'http'], 'http://a', 'is not a field of a spec here'],
    [recreateSpec, ['accept'], undefined, 'is missing'],
    [recreateSpec, ['accept'], 'nothing', 'must be one of downtime'],
    [recreateSpec, ['approve'], false, 'must be true or the name of a group: downtime needs a person'],
    [recreateSpec, ['surge'], 1, 'is not a field of a spec here'],
  ])('%#: $1 of $0.strategy', (spec, path, value, detail) => {
    const pointer = `/${path.join('/')}`;
    const [problem, ...others] = problemsOf(withField(spec, path, value));
    expect([problem?.pointer, others]).toEqual([pointer, []]);
    if (typeof detail === 'string') expect(problem?.detail).toBe(detail);
    else expect(problem?.detail).toMatch(detail);
  });

  test.each<[string, unknown, string]>([
    ['no image at all', { ...rollingSpec, images: {} }, '/images'],
    ['a container with capitals', { ...rollingSpec, images: { Worker: 'a:1' } }, '/images'],
    ['a bound for nothing', { ...canarySpec, checks: { metrics: 'a', requests: 'b' } }, '/checks'],
    ['neither more pods nor fewer', { ...rollingSpec, surge: '0%', unavailable: 0 }, '/unavailable'],
    [
      'two sides of one name',
      { ...canarySpec, route: { ...everyRoute['nginx'], stable: 'a:1', candidate: 'a:1' } },
      '/route/candidate',
    ],
    [
      'a subset of one name',
      { ...canarySpec, route: { via: 'istio', name: 'a', candidate: 'checkout' } },
      '/route/candidate',
    ],
    [
      'one counter for both sides',
      { ...canarySpec, seen: { metrics: 'm', candidate: 'a', stable: 'a' } },
      '/seen/candidate',
    ],
  ])('%s', (_, spec, pointer) => {
    expect(problemsOf(spec).map((problem) => problem.pointer)).toEqual([pointer]);
  });
});

describe('an unknown name', () => {
  test.each<[string, unknown, string, string]>([
    ['strategy', { ...canarySpec, strategy: 'canry' }, '/strategy', 'canary'],
    ['strategy', { ...blueGreenSpec, strategy: 'bluegreen' }, '/strategy', 'blue-green'],
    ['router', withField(canarySpec, ['route', 'via'], 'gateway-ap'), '/route/via', 'gateway-api'],
    ['field', withField(canarySpec, ['stepz'], []), '/stepz', 'steps'],
    ['field of a route', withField(canarySpec, ['route', 'nam'], 'a'), '/route/nam', 'name'],
    ['field of checks', withField(canarySpec, ['checks', 'eror'], {}), '/checks/eror', 'errors'],
    ['answer', withField(canarySpec, ['steps', 0, 'onFail'], 'holt'), '/steps/0/onFail', 'hold'],
  ])('of a %s is the only problem, and has the nearest one beside it', (_, spec, pointer, didYouMean) => {
    expect(problemsOf(spec)).toEqual([expect.objectContaining({ pointer, didYouMean })]);
  });

  test('of a strategy that is like none says nothing of its fields', () => {
    const [problem, ...others] = problemsOf({ ...canarySpec, strategy: 'progressive' });
    expect([problem?.pointer, others]).toEqual(['/strategy', []]);
    expect(problem?.detail).toMatch(/^must be one of .*canary/);
  });
});

test('a text in which a password may have ended up is not repeated', () => {
  const secret = 'ftp://me:pass-word-9@host/ a';
  const spec = { ...canarySpec, seen: { ...(canarySpec.seen as object), url: secret }, passwort: secret };
  expect(problemsOf(spec)).toHaveLength(2);
  expect(JSON.stringify(problemsOf(spec))).not.toContain('pass-word-9');
});

describe('the names that a spec uses', () => {
  test('are found wherever it may name one', () => {
    const seen = everySeen['metrics'] ?? false;
    const canary: CanarySpec = { ...canarySpec, seen, route: everyRoute['haproxy'] ?? canarySpec.route };
    expect(namesUsed(canary).map(({ of, pointer }) => `${of} ${pointer}`)).toEqual([
      'metrics /checks/metrics',
      'metrics /steps/0/checks/metrics',
      'metrics /seen/metrics',
      'routers /route/router',
    ]);
    expect(namesUsed(blueGreenSpec)).toEqual([
      { of: 'metrics', name: checks.metrics, pointer: '/watch/checks/metrics' },
    ]);
    expect(namesUsed({ protect: { metrics: 'a' } })).toEqual([
      { of: 'metrics', name: 'a', pointer: '/protect/metrics' },
    ]);
  });

  test('come with the kind that a router has to be of', () => {
    expect(namesUsed({ route: everyRoute['nginx'] })).toEqual([
      { of: 'routers', name: 'edge-nginx', pointer: '/route/router', kind: 'nginx' },
    ]);
  });

  test.each([null, 7, [], 'a', { steps: 'a' }, { steps: [null, 5] }, { checks: [] }, { route: { router: 5 } }])(
    'of %j are none',
    (body) => {
      expect(namesUsed(body)).toEqual([]);
    },
  );

  test('are all that there are: no other field is called metrics or router', () => {
    const named = (value: unknown, path: string): string[] =>
      typeof value !== 'object' || value === null
        ? []
        : Object.entries(value).flatMap(([key, item]) => [
            ...(['metrics', 'router'].includes(key) ? [`${path}/${key}`] : []),
            ...named(item, `${path}/${key}`),
          ]);
    for (const spec of fullReleases)
      expect(new Set(namesUsed(spec).map(({ pointer }) => pointer))).toEqual(new Set(named(spec, '')));
  });
});
