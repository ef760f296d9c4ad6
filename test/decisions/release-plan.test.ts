import type { ReleasePlan, Stage, StageOf } from '../../contracts/plan.ts';
import type { CanarySpec } from '../../contracts/release-spec.ts';
import type { StageKind } from '../../contracts/catalog.ts';
import {
  blueGreenFacts,
  blueGreenSpec,
  canaryFacts,
  canarySpec,
  checks,
  oneWorkload,
  planRelease,
  recreateSpec,
  releasePlan,
  rollingSpec,
  routeFacts,
  serviceFacts,
  workloadFacts,
} from '../support/release-plans.ts';

const canary = (wishes: Partial<CanarySpec> = {}): ReleasePlan =>
  releasePlan({ ...canarySpec, ...wishes }, canaryFacts);
const named = (plan: ReleasePlan): string[] => plan.stages.map(({ name }) => name);
const stage = <K extends StageKind>(plan: ReleasePlan, kind: K, name: string): StageOf<K> => {
  const found = plan.stages.find((one): one is Extract<Stage, { kind: K }> => one.kind === kind && one.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}: ${named(plan).join(', ')}`);
  return found;
};
const needed = { name: 'scores-db', probe: { tcp: 'db.data:5432' } };
const problems = (made: ReturnType<typeof planRelease>) => ('stages' in made ? [] : made);

describe('the plan of a canary', () => {
  test('has 5, 25, 50 and 100 % of ten minutes each where the spec names no steps, and enough pods for each', () => {
    const { steps: _, ...rest } = canarySpec;
    const plan = releasePlan(rest, canaryFacts);
    expect(named(plan)).toEqual([
      'candidate',
      'weight-5',
      'weight-25',
      'weight-50',
      'weight-100',
      'promote',
      'home',
      'retire',
    ]);
    const shifts = plan.stages.filter((one) => one.kind === 'shift' && one.name !== 'home') as StageOf<'shift'>[];
    expect(shifts.map(({ weight, forMs, scale }) => [weight, forMs, scale?.replicas])).toEqual([
      [5, 600_000, 1],
      [25, 600_000, 3],
      [50, 600_000, 5],
      [100, 600_000, 10],
    ]);
    expect(plan.estimate.workMs).toBe(2_400_000);
    expect(plan.risk.pointOfNoReturn).toBeNull();
  });

  test('goes home from every step, and back to the candidate from home', () => {
    const shifts = canary().stages.filter((one) => one.kind === 'shift');
    expect(shifts.map(({ name, weight, back, seen }) => [name, weight, back, seen === null])).toEqual([
      ['weight-5', 5, 0, false],
      ['weight-50', 50, 0, false],
      ['weight-100', 100, 0, false],
      ['home', 0, 100, true],
    ]);
  });

  test.each([
    [undefined, 'rollback'],
    [0, 'rollback'],
    ['rollback', 'rollback'],
    ['hold', 'hold'],
    [5, { weight: 5 }],
  ] as const)('answers a check that fails with onFail %p', (onFail, expected) => {
    const step = { weight: 50, for: '2h', ...(onFail === undefined ? {} : { onFail }) };
    const plan = canary({ steps: [step, { weight: 100 }] });
    expect(stage(plan, 'shift', 'weight-50')).toMatchObject({ onFail: expected, forMs: 7_200_000 });
  });

  test('has the checks of the spec in each step but where that says otherwise', () => {
    const plan = canary({
      checks,
      steps: [{ weight: 5 }, { weight: 50, checks: { ...checks, fail: '2 of 3' } }, { weight: 100, checks: false }],
    });
    expect(stage(plan, 'shift', 'weight-5').gate).toMatchObject({
      metrics: 'shop',
      fails: 1,
      of: 1,
      blindForMs: 3_600_000,
    });
    expect(stage(plan, 'shift', 'weight-50').gate).toMatchObject({ fails: 2, of: 3 });
    expect(stage(plan, 'shift', 'weight-100').gate).toBeNull();
    expect(stage(plan, 'shift', 'home').gate).toBeNull();
  });

  test('takes all back for want of data only where the checks say so', () => {
    const { gate: usual } = stage(canary({ checks: { ...checks, blind: 'hold' } }), 'shift', 'weight-5');
    expect(usual).not.toHaveProperty('blind');
    const { gate } = stage(canary({ checks: { ...checks, blind: 'rollback' } }), 'shift', 'weight-5');
    expect(gate?.blind).toBe('rollback');
  });

  test('looks after what the candidate needs in each step, and as long as the stable side is kept', () => {
    const plan = canary({ checks, dependencies: [needed], keepOld: '1h' });
    const expected = {
      name: 'scores-db',
      probe: { by: 'tcp', address: 'db.data:5432', timeoutMs: 2_000 },
      everyMs: 10_000,
      backoffMs: 60_000,
      fails: 3,
      of: 5,
      closeAfter: 2,
      openForMs: 1_800_000,
    };
    for (const name of ['weight-5', 'weight-50', 'weight-100', 'keep'])
      expect(stage(plan, 'shift', name).dependencies).toEqual([expected]);
    expect(stage(plan, 'shift', 'keep')).toMatchObject({ weight: 100, back: 0, forMs: 3_600_000, gate: null });
    expect(stage(plan, 'shift', 'home')).not.toHaveProperty('dependencies');
    expect(stage(canary(), 'shift', 'weight-5')).not.toHaveProperty('dependencies');
  });

  test('keeps the stable side only when the spec says so, before its pods are replaced', () => {
    expect(named(canary())).not.toContain('keep');
    const plan = canary({ keepOld: '1h' });
    expect(named(plan).slice(-4)).toEqual(['keep', 'promote', 'home', 'retire']);
    expect(stage(plan, 'keep', 'keep').forMs).toBe(3_600_000);
  });

  test('asks for the approval of the spec at the first step, and of a step at that step', () => {
    const plan = canary({ approve: 'dba', steps: [{ weight: 5 }, { weight: 50, approve: true }, { weight: 100 }] });
    expect(plan.stages.flatMap(({ name, approve }) => (approve === null ? [] : [[name, approve.group]]))).toEqual([
      ['weight-5', 'dba'],
      ['weight-50', null],
    ]);
    const other = canary({ approve: 'dba', steps: [{ weight: 50, approve: false }, { weight: 100 }] });
    expect(other.stages.every(({ approve }) => approve === null)).toBe(true);
  });

  test('names a candidate that neither the Service nor the Deployment takes for its own', () => {
    const { candidate } = stage(canary(), 'candidate', 'candidate');
    expect(candidate).toMatchObject({
      name: 'checkout-candidate',
      service: { of: 'checkout', name: 'checkout-candidate' },
      labels: { app: 'checkout-candidate' },
      replicas: 1,
    });
    expect(stage(canary(), 'retire', 'retire').candidate).toEqual({ ...candidate, replicas: 10 });
  });

  const sides = { stable: 'checkout', candidate: 'checkout-candidate' };
  const inShop = { namespace: 'shop', name: 'checkout' };
  const match = { header: 'x-beta', value: 'yes' } as const;
  test.each<[CanarySpec['route'], object]>([
    [
      { via: 'gateway-api', name: 'checkout', match },
      { via: 'gateway-api', ...inShop, ...sides, match: { by: 'header', name: 'x-beta', value: 'yes' } },
    ],
    [
      { via: 'istio', name: 'checkout', match: { cookie: 'beta', value: '1' } },
      { via: 'istio', ...inShop, ...sides, match: { by: 'cookie', name: 'beta', value: '1' } },
    ],
    [
      { via: 'istio', name: 'checkout', stable: 'checkout#v1', candidate: 'checkout#v2' },
      { via: 'istio', ...inShop, stable: 'checkout#v1', candidate: 'checkout#v2' },
    ],
    [
      { via: 'haproxy', router: 'edge', backend: 'shop', stable: 'a', candidate: 'b' },
      { via: 'haproxy', router: 'edge', backend: 'shop', stable: 'a', candidate: 'b' },
    ],
    [
      { via: 'nginx', router: 'edge', stable: 'a:80', candidate: 'b:80' },
      { via: 'nginx', router: 'edge', stable: 'a:80', candidate: 'b:80' },
    ],
  ])('sets its shares by %j', (route, expected) => {
    expect(stage(canary({ route }), 'shift', 'weight-5').route).toEqual(expected);
  });

  test('by a flag brings nothing up: it has its steps, and holds the ConfigMap', () => {
    const { images: _, service: __, ...rest } = canarySpec;
    const route = { via: 'flag', key: 'flags.json', flag: 'new', stable: 'off', candidate: 'on' } as const;
    const object = { kind: 'ConfigMap', namespace: 'shop', name: 'checkout', uid: 'c1' } as const;
    const facts = { workloads: [], services: [], route: { ...routeFacts, object } };
    const plan = releasePlan({ ...rest, route, keepOld: '1h' }, facts);
    expect(named(plan)).toEqual(['weight-5', 'weight-50', 'weight-100', 'keep']);
    expect(plan.object).toEqual(object);
    expect(stage(plan, 'shift', 'weight-5')).toMatchObject({
      scale: null,
      route: { ...route, namespace: 'shop', name: 'checkout' },
    });
  });

  test('holds the Deployment and what holds the route', () => {
    expect(canary().object).toMatchObject({ kind: 'Deployment', name: 'checkout', also: [{ kind: 'HTTPRoute' }] });
  });

  test('says that nobody looks where the traffic goes', () => {
    expect(canary({ seen: false }).findings.map(({ code }) => code)).toContain('TRAFFIC_UNSEEN');
    expect(stage(canary({ seen: false }), 'shift', 'weight-5').seen).toBeNull();
  });

  const [stable = workloadFacts, free = workloadFacts] = canaryFacts.workloads;
  test.each([
    ['there is a candidate already', { workloads: [stable, { ...free, uid: 'x' }] }, '/workload', 'already'],
    ['its Service has the name already', { services: [serviceFacts, serviceFacts] }, '/workload', 'already'],
    [
      'the Service finds the pods by other labels',
      {
        services: [
          { ...serviceFacts, selector: { role: 'web' } },
          { ...serviceFacts, uid: null },
        ],
      },
      '/service',
      'selects by no label',
    ],
    ['the route is not there', { route: { ...routeFacts, object: null } }, '/route/name', 'there is no HTTPRoute'],
    [
      'the route does not send everything home',
      { route: { ...routeFacts, state: { weight: 5, because: '5 %' } } },
      '/route',
      'does not send everything',
    ],
    [
      'the route says something that is not known',
      { route: { ...routeFacts, state: { weight: null, because: 'three sides' } } },
      '/route',
      'three sides',
    ],
    ['a repository keeps the route', { route: { ...routeFacts, ownedBy: 'Flux' } }, '/route', 'Flux keeps'],
    [
      'somebody has paused the rollout',
      { workloads: [{ ...stable, rollout: { ...stable.rollout, paused: true } }, free] },
      '/workload',
      'paused',
    ],
  ])('is refused when %s', (_why, facts, pointer, words) => {
    const found = problems(planRelease(canarySpec, { ...canaryFacts, ...facts }));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ pointer });
    expect(found[0]?.detail).toContain(words);
  });
});

describe('the plan of a blue-green switch', () => {
  const [blue = workloadFacts, green = workloadFacts] = blueGreenFacts.workloads;
  const [service = serviceFacts] = blueGreenFacts.services;
  const with_ = (change: Partial<typeof blueGreenFacts>) => ({ ...blueGreenFacts, ...change });

  test.each([
    ['blue', 'green', blueGreenFacts],
    [
      'green',
      'blue',
      with_({
        workloads: [
          { ...blue, replicas: 0 },
          { ...green, replicas: 3 },
        ],
        services: [{ ...service, selector: { app: 'trino', version: 'green' } }],
      }),
    ],
  ])('when %s serves, brings %s up', (active, idle, facts) => {
    const plan = releasePlan(blueGreenSpec, facts);
    expect(named(plan)).toEqual(['bring-up', 'validate', 'switch', 'keep', 'clean-up']);
    const up = stage(plan, 'roll', 'bring-up');
    expect([up.workload.name, up.apply['spec'], up.back['spec']]).toMatchObject([
      `trino-${idle}`,
      { replicas: 3 },
      { replicas: 0 },
    ]);
    const clean = stage(plan, 'roll', 'clean-up');
    expect([clean.workload.name, clean.apply['spec'], clean.back['spec']]).toMatchObject([
      `trino-${active}`,
      { replicas: 0 },
      { replicas: 3 },
    ]);
    expect(stage(plan, 'shift', 'switch')).toMatchObject({
      weight: 100,
      back: 0,
      route: { via: 'service', namespace: 'shop', name: 'trino', label: 'version', stable: active, candidate: idle },
    });
    expect(plan.object).toMatchObject({
      kind: 'Service',
      name: 'trino',
      also: [{ name: `trino-${active}` }, { name: `trino-${idle}` }],
    });
  });

  test('keeps the old side for a day, watches for five minutes and asks nothing where the spec says nothing', () => {
    const { validate: _, watch: __, keepOld: ___, ...rest } = blueGreenSpec;
    const plan = releasePlan(rest, blueGreenFacts);
    expect(named(plan)).toEqual(['bring-up', 'switch', 'keep', 'clean-up']);
    expect(stage(plan, 'keep', 'keep').forMs).toBe(86_400_000);
    expect(stage(plan, 'shift', 'switch')).toMatchObject({ forMs: 300_000, gate: null, approve: null });
    expect(named(releasePlan({ ...rest, keepOld: '0s' }, blueGreenFacts))).toEqual(['bring-up', 'switch', 'clean-up']);
  });

  test('looks after what the new side needs while it is watched and the old one is kept', () => {
    const plan = releasePlan({ ...blueGreenSpec, dependencies: [needed] }, blueGreenFacts);
    expect(named(plan)).toEqual(['bring-up', 'validate', 'switch', 'keep', 'clean-up']);
    expect(stage(plan, 'shift', 'keep')).toMatchObject({
      weight: 100,
      forMs: 200,
      dependencies: [{ fails: 3, of: 5 }],
    });
  });

  test('says of waits that grow how long they may be, and how long it may take in all', () => {
    const probes = [{ tcp: 'green:80', timeout: '1s' }, { http: 'http://green/' }];
    const validate = { probes, tries: 5, every: '2s', backoff: '10s' };
    const plan = releasePlan({ ...blueGreenSpec, validate }, blueGreenFacts);
    // 2 + 4 + 8 + 10 s of waiting, five times 1 + 2 s of asking
    expect(stage(plan, 'validate', 'validate')).toMatchObject({
      title: 'trino-green answers 3 times in a row, 5 tries every 2s, later up to 10s; 39s at the most',
      backoffMs: 10_000,
    });
    expect(stage(releasePlan(blueGreenSpec, blueGreenFacts), 'validate', 'validate')).not.toHaveProperty('backoffMs');
  });

  const told = 'does not tell the sides apart';
  test.each([
    [
      'the selector has no such label',
      with_({ services: [{ ...service, selector: { app: 'trino' } }] }),
      '/slots/label',
      told,
    ],
    [
      'the selector chooses neither',
      with_({ services: [{ ...service, selector: { version: 'red' } }] }),
      '/slots/label',
      told,
    ],
    [
      'both sides have the same value',
      with_({ workloads: [blue, { ...green, podLabels: { app: 'trino', version: 'blue' } }] }),
      '/slots/label',
      told,
    ],
    [
      'the idle side has no value',
      with_({ workloads: [blue, { ...green, podLabels: { app: 'trino' } }] }),
      '/slots/label',
      told,
    ],
    [
      'the idle side lacks another label of the selector',
      with_({ services: [{ ...service, selector: { version: 'blue', tier: 'web' } }] }),
      '/service',
      'do not have tier: web',
    ],
    [
      'a side is not there',
      with_({ workloads: [blue, { ...green, uid: null }] }),
      '/slots/green',
      'there is no Deployment',
    ],
    ['the Service is not there', with_({ services: [{ ...service, uid: null }] }), '/service', 'there is no Service'],
  ])('is refused when %s', (_why, facts, pointer, words) => {
    const found = problems(planRelease(blueGreenSpec, facts));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ pointer });
    expect(found[0]?.detail).toContain(words);
  });
});

describe('the plan of a restart with downtime', () => {
  test('ends all pods, then starts as many; what it applies leaves how pods are replaced as it was', () => {
    const plan = releasePlan(recreateSpec, oneWorkload);
    expect(plan.stages.map(({ name, approve }) => [name, approve !== null])).toEqual([
      ['stop', true],
      ['start', false],
    ]);
    const rollingUpdate = { maxSurge: '25%', maxUnavailable: '25%' };
    for (const { name, replicas, back } of [
      { name: 'stop', replicas: 0, back: 3 },
      { name: 'start', replicas: 3, back: 0 },
    ]) {
      const roll = stage(plan, 'roll', name);
      expect(roll.apply['spec']).toMatchObject({ replicas, strategy: { type: 'RollingUpdate', rollingUpdate } });
      expect(roll.back['spec']).toMatchObject({ replicas: back, strategy: { type: 'RollingUpdate', rollingUpdate } });
    }
    expect(JSON.stringify(stage(plan, 'roll', 'stop').apply)).not.toContain('app:v2');
    expect(JSON.stringify(stage(plan, 'roll', 'start').apply)).toContain('app:v2');
    expect(plan.findings.map(({ code }) => code)).toEqual(['DOWNTIME']);
    expect(plan.risk.level).toBe('high');
  });

  test('takes a Deployment that takes all its pods at once, which no other release does', () => {
    const facts = {
      ...oneWorkload,
      workloads: [{ ...workloadFacts, rollout: { ...workloadFacts.rollout, strategy: 'Recreate' } }],
    };
    const plan = releasePlan(recreateSpec, facts);
    expect(stage(plan, 'roll', 'start').apply['spec']).toMatchObject({ strategy: { type: 'Recreate' } });
    expect(problems(planRelease(rollingSpec, facts))[0]?.detail).toContain('takes all pods at once');
  });
});

describe('the plan of a rolling release', () => {
  test('is one stage with two pods more and one fewer, and its undo has every field as it was', () => {
    const plan = releasePlan(rollingSpec, oneWorkload);
    expect(named(plan)).toEqual(['roll']);
    const roll = stage(plan, 'roll', 'roll');
    expect(roll.apply['spec']).toMatchObject({
      progressDeadlineSeconds: 600,
      strategy: { rollingUpdate: { maxSurge: 2, maxUnavailable: 1 } },
    });
    expect(roll.back['spec']).toMatchObject({
      progressDeadlineSeconds: 600,
      strategy: { rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    });
    expect(JSON.stringify(roll.apply)).toContain('app:v2');
    expect(JSON.stringify(roll.back)).toContain('app:v1');
  });
});
