import type { ClusterFacts } from '../../contracts/cluster-facts.ts';
import type { BlueGreenSpec, RunningSpec } from '../../contracts/release-spec.ts';
import { checkSpec } from '../../decisions/check-spec.ts';
import { counted, isOverdue, queryWords, wasCalled, withCall } from '../../decisions/running.ts';
import { notStarted } from '../../decisions/progress.ts';
import {
  blueGreenFacts,
  blueGreenSpec,
  planRelease,
  releasePlan,
  routeFacts,
  serviceFacts,
} from '../support/release-plans.ts';

const coordinators = { blue: 'http://blue:8080', green: 'http://green:8080' };
const base = { engine: 'trino', coordinators } as const;
const onOld: RunningSpec = { ...base, finishOn: 'old', route: 'trino', address: 'http://trino' };
const idle: RunningSpec = { ...base, wait: 'idle', user: 'ops', timeout: '10m' };
const accepted: RunningSpec = { ...base, accept: 'failed-queries' };
const ofTrino = (image: string): ClusterFacts => ({
  ...blueGreenFacts,
  workloads: blueGreenFacts.workloads.map((workload) => ({
    ...workload,
    containers: workload.containers.map((container) => ({ ...container, image })),
  })),
});
const side = (name: string, selector: Readonly<Record<string, string>>) => ({ ...serviceFacts, name, selector });
const withSides: ClusterFacts = {
  ...blueGreenFacts,
  services: [
    ...blueGreenFacts.services,
    side('trino-blue', { version: 'blue' }),
    side('trino-green', { version: 'green' }),
  ],
  route: { ...routeFacts, object: { kind: 'HTTPRoute', namespace: 'shop', name: 'trino', uid: '90ef' } },
};
const withRunning = (running: RunningSpec): BlueGreenSpec => ({ ...blueGreenSpec, running });
const problems = (spec: BlueGreenSpec, facts: ClusterFacts) => {
  const made = planRelease(spec, facts);
  return 'stages' in made ? [] : made.map(({ pointer, detail }) => `${pointer} ${detail}`);
};

describe('a blue-green whose spec says nothing of running queries', () => {
  test.each(['trinodb/trino:440', 'registry.example:5000/data/trino-server@sha256:0a', 'Trino'])(
    'is refused where %s runs',
    (image) => {
      expect(problems(blueGreenSpec, ofTrino(image))).toEqual([
        expect.stringContaining(`/running is missing: image ${image} is Trino`),
      ]);
    },
  );

  test('is refused where that image is to come, or a probe asks Trino', () => {
    expect(problems({ ...blueGreenSpec, images: { app: 'trinodb/trino:440' } }, blueGreenFacts)).toHaveLength(1);
    const validate = { probes: [{ trino: 'http://green', sql: 'SELECT 1' }] };
    expect(problems({ ...blueGreenSpec, validate }, blueGreenFacts)).toEqual([
      expect.stringContaining('/running is missing: a probe asks Trino'),
    ]);
  });

  test.each(['app:v1', 'trinodb/trino-gateway:14', 'trino.example/app:1'])('is planned where %s runs', (image) => {
    expect(problems(blueGreenSpec, ofTrino(image))).toEqual([]);
  });
});

describe('a plan of running queries', () => {
  const running = (spec: RunningSpec, facts: ClusterFacts) => {
    const { stages, object } = releasePlan(withRunning(spec), facts);
    const shift = stages.find((stage) => stage.kind === 'shift');
    return { names: stages.map(({ name }) => name), shift, drain: stages.find(({ kind }) => kind === 'drain'), object };
  };

  test('that finish where they began holds the route, and keeps the old side under them', () => {
    const { names, shift, drain, object } = running(onOld, withSides);
    expect(names).toEqual(['bring-up', 'validate', 'switch', 'keep', 'drain', 'clean-up']);
    const blue = { name: 'trino-blue', url: 'http://blue:8080', user: 'lakeshift' };
    const green = { name: 'trino-green', url: 'http://green:8080', user: 'lakeshift' };
    const followUps = {
      route: { namespace: 'shop', name: 'trino' },
      service: 'trino',
      sides: [
        { service: 'trino-blue', coordinator: blue },
        { service: 'trino-green', coordinator: green },
      ],
      address: 'http://trino',
    };
    expect(shift?.running).toEqual({
      engine: 'trino',
      way: 'finish-on-old',
      old: blue,
      followUps,
      timeoutMs: 7_200_000,
    });
    expect(shift?.title).toContain('; queries that run on trino-blue finish there');
    expect(drain).toMatchObject({ coordinator: blue, timeoutMs: 7_200_000, followUps });
    expect(object.also?.at(-1)).toEqual(withSides.route?.object);
  });

  test('that are waited for needs no route', () => {
    const { names, shift } = running(idle, blueGreenFacts);
    expect(names).toContain('drain');
    expect(shift?.running).toMatchObject({ way: 'wait', old: { user: 'ops' }, followUps: null, timeoutMs: 600_000 });
    expect(shift?.title).toContain('; not before no query runs on trino-blue, at most 10m');
  });

  test('that may fail asks any approver, or those that the spec names, and never nobody', () => {
    const { names, shift } = running(accepted, blueGreenFacts);
    expect([names.includes('drain'), shift?.approve]).toEqual([false, { group: null, count: 1, notByAuthor: false }]);
    const spec = withRunning(accepted);
    const of = (approve: boolean | string) => problems({ ...spec, approve }, blueGreenFacts);
    expect([of('dba'), of(false)]).toEqual([
      [],
      ['/approve must be true or the name of a group: failed queries need a person'],
    ]);
  });

  test.each<[string, Partial<ClusterFacts>, string]>([
    [
      'a Service of a side is not there',
      { services: withSides.services.map((one) => (one.name === 'trino-green' ? { ...one, uid: null } : one)) },
      '/running/services/green there is no Service shop/trino-green',
    ],
    [
      'it selects both sides',
      {
        services: withSides.services.map((one) =>
          one.name === 'trino-blue' ? { ...one, selector: { app: 'trino' } } : one,
        ),
      },
      '/running/services/blue Service trino-blue does not select the pods of trino-blue alone',
    ],
    [
      'the route is not there',
      { route: { ...routeFacts, object: null } },
      '/running/route there is no HTTPRoute shop/trino',
    ],
    [
      'no rule sends requests to the Service',
      { route: { ...routeFacts, state: { weight: null, because: 'no rule sends requests to trino' } } },
      '/running/route shop/trino: no rule sends requests to trino',
    ],
    [
      'a repository keeps the route',
      { route: { ...routeFacts, ownedBy: 'Argo CD application data' } },
      '/running/route Argo CD application data keeps shop/trino as its repository says: change it there',
    ],
  ])('is refused when %s', (_, change, problem) => {
    expect(problems(withRunning(onOld), { ...withSides, ...change })).toEqual([problem]);
  });
});

test('a spec has one way of running queries, and no password in an address', () => {
  const check = (running: unknown) => {
    const checked = checkSpec({ ...blueGreenSpec, every: '1s', running });
    return checked.ok ? [] : checked.problems.map(({ pointer }) => pointer);
  };
  expect([check(onOld), check(idle), check(accepted)]).toEqual([[], [], []]);
  expect(check(base)).toEqual(['/running']);
  expect(check({ ...onOld, wait: 'idle' })).toEqual(['/running/wait']);
  expect(check({ ...idle, coordinators: { ...coordinators, green: coordinators.blue } })).toEqual([
    '/running/coordinators/green',
  ]);
  expect(check({ ...idle, coordinators: { ...coordinators, blue: 'http://a:b@blue:8080' } })).toEqual([
    '/running/coordinators/blue',
  ]);
});

test('a statement has less than a minute', () => {
  const check = (timeout: string) =>
    checkSpec({
      ...blueGreenSpec,
      every: '1s',
      validate: { probes: [{ trino: 'http://green', sql: ['SELECT 1'], timeout }] },
    }).ok;
  expect([check('50s'), check('51s')]).toEqual([true, false]);
});

describe('queries that are waited for', () => {
  const progress = notStarted(releasePlan(blueGreenSpec, blueGreenFacts), 0);

  test('are said in words, what nobody saw too', () => {
    const words = [1, 3, null].map((running) =>
      queryWords('trino-blue', { running, blindBecause: 'it gives no answer' }),
    );
    expect(words).toEqual([
      '1 query still runs on trino-blue',
      '3 queries still run on trino-blue',
      'nobody could see what runs on trino-blue: it gives no answer',
    ]);
  });

  test('are overdue after their time, and a person is called once', () => {
    const waiting = counted(progress, 'trino-blue', { running: 2, blindBecause: null }, 1_000, 5_000);
    expect(waiting.running).toEqual({
      on: 'trino-blue',
      queries: 2,
      because: '2 queries still run on trino-blue',
      since: 1_000,
      lookedAt: 5_000,
    });
    expect([isOverdue(progress, 0, 9_000), isOverdue(waiting, 5_000, 5_999), isOverdue(waiting, 5_000, 6_000)]).toEqual(
      [false, false, true],
    );
    expect([wasCalled(waiting), wasCalled(withCall(waiting)), withCall(progress)]).toEqual([false, true, progress]);
  });
});
