import type { JsonObject } from '../../contracts/json.ts';
import type { Plan } from '../../contracts/plan.ts';
import type { BlueGreenSpec, CanarySpec } from '../../contracts/release-spec.ts';
import type { ServiceFacts, WorkloadFacts } from '../../contracts/workload.ts';
import { releaseStrategyOf } from '../../decisions/strategies/index.ts';
import { rollingPlan, type RollingWishes } from '../support/release-plans.ts';

const rollsOf = (wishes: RollingWishes) =>
  rollingPlan('q', wishes).stages.flatMap((stage) => (stage.kind === 'roll' ? [stage] : []));
const specOf = (body: JsonObject) => body['spec'] as JsonObject; // every body of a workload has one
const kindsOf = (plan: Plan): readonly string[] => plan.stages.map(({ kind, name }) => `${kind} ${name}`);

const set = {
  kind: 'StatefulSet',
  rollout: {
    strategy: 'RollingUpdate',
    surge: null,
    unavailable: null,
    graceSeconds: 30,
    deadlineSeconds: 600,
    paused: false,
    partition: 0,
  },
} as const;
const scaler = { name: 'checkout', uid: 'u', selectPolicy: 'Max', ownedBy: null, holder: null };

describe('batches of a Deployment', () => {
  test.each([
    [10, 3, [3, 6, 9, 10]],
    [10, '25%', [3, 6, 9, 10]],
    [4, '100%', [4]],
    [3, 5, [3]],
    [1, '1%', [1]],
  ] as const)('of %i pods in %s end at %j', (replicas, size, ends) => {
    const rolls = rollsOf({ spec: { batches: { size } }, facts: { replicas } });
    expect(rolls.map(({ title }) => Number(title.split(' ')[0]))).toEqual(ends);
    // the last one is the Deployment's own rollout again
    expect(rolls.map(({ batch }) => batch?.pods ?? null)).toEqual([...ends.slice(0, -1), null]);
  });

  test('leave its controller no other way: surplus and missing pods make exactly the new ones, the rest serves', () => {
    const replicas = 10;
    for (const { apply, batch } of rollsOf({ spec: { batches: { size: 3 } }, facts: { replicas } }).slice(0, -1)) {
      const { minReadySeconds, progressDeadlineSeconds, strategy } = specOf(apply);
      const { maxSurge, maxUnavailable } = (strategy as { rollingUpdate: Record<string, number> }).rollingUpdate;
      const old = replicas - (maxUnavailable ?? 0);
      const fresh = replicas + (maxSurge ?? 0) - old;
      expect([fresh, old + (maxUnavailable ?? 0)]).toEqual([batch?.pods, replicas]);
      expect(Number(progressDeadlineSeconds)).toBeGreaterThan(Number(minReadySeconds));
    }
  });

  test('are all taken back by the same fields, those of before', () => {
    const minReadySeconds = 7;
    const rollout = { ...set.rollout, surge: '25%', unavailable: '25%', minReadySeconds };
    const rolls = rollsOf({ spec: { batches: { size: 1 } }, facts: { rollout } });
    for (const { back } of rolls) expect(back).toEqual(rolls[0]?.back);
    expect(specOf(rolls[0]?.back ?? {})).toMatchObject({ minReadySeconds, progressDeadlineSeconds: 600 });
    expect(specOf(rolls.at(-1)?.apply ?? {})).toMatchObject({ minReadySeconds });
  });

  test('are none when no image changes: pods of the same template would all become unavailable', () => {
    const plan = rollingPlan('q', { spec: { batches: { size: 1 }, images: { app: 'app:v1' } } });
    expect(kindsOf(plan)).toEqual(['roll roll']);
  });
});

test('a StatefulSet of more pods than a plan has batches goes by several at a time', () => {
  const rolls = rollsOf({ spec: { kind: 'StatefulSet' }, facts: { ...set, replicas: 120 } });
  expect([rolls.length, rolls[0]?.batch?.pods]).toEqual([40, 3]);
  expect(rolls.map(({ apply }) => specOf(apply)['updateStrategy'])).toContainEqual({
    type: 'RollingUpdate',
    rollingUpdate: { partition: 0 },
  });
});

test.each([
  ['one of ours', scaler, ['scaling hold-scaling', 'roll roll', 'scaling free-scaling']],
  ['one that never scales down', { ...scaler, selectPolicy: 'Disabled' }, ['roll roll']],
  ['one that another object keeps', { ...scaler, ownedBy: 'ScaledObject shop' }, ['roll roll']],
] as const)('around a rollout, of autoscalers, %s', (_, found, stages) => {
  const plan = rollingPlan('q', { facts: { scalers: [found] } });
  expect(kindsOf(plan)).toEqual(stages);
  expect((plan.object.also ?? []).length).toBe(stages.length === 1 ? 0 : 1);
});

describe('an autoscaler is kept up from before the first stage until after the last one of', () => {
  const { workloads } = rollingPlan('q', { facts: { scalers: [scaler] } }).facts;
  const [checkout] = workloads;
  if (checkout === undefined) throw new Error('the plan has no workload');
  const named = (name: string, more: Partial<WorkloadFacts> = {}): WorkloadFacts => ({ ...checkout, name, ...more });
  const service: ServiceFacts = {
    namespace: 'shop',
    name: 'checkout',
    uid: 's',
    selector: { app: 'checkout' },
    ownedBy: null,
    holder: null,
    nearby: [],
  };
  const common = { name: 'r', target: 'k8s', images: { app: 'app:v2' }, seen: false } as const;

  test('a canary', () => {
    const route = { via: 'haproxy', router: 'edge', backend: 'b', stable: 's', candidate: 'c' } as const;
    const spec: CanarySpec = { ...common, strategy: 'canary', workload: 'shop/checkout', service: 'checkout', route };
    const selector = { app: 'checkout' };
    const facts = { workloads: [named('checkout', { selector })], services: [service], route: null };
    const { object, stages } = releaseStrategyOf(spec).plan(spec, facts);
    expect([stages[0]?.name, stages.at(-1)?.name]).toEqual(['hold-scaling', 'free-scaling']);
    expect(object.also).toContainEqual(expect.objectContaining({ kind: 'HorizontalPodAutoscaler', uid: 'u' }));
  });

  test('a blue-green release, on both sides', () => {
    const slots = { label: 'app', blue: 'blue', green: 'green' };
    const spec: BlueGreenSpec = { ...common, strategy: 'blue-green', service: 'shop/checkout', slots };
    const sides = ['blue', 'green'].map((name) =>
      named(name, { podLabels: { app: name }, scalers: [{ ...scaler, name }] }),
    );
    const chosen = { ...service, selector: { app: 'blue' } };
    const { stages } = releaseStrategyOf(spec).plan(spec, { workloads: sides, services: [chosen], route: null });
    expect(stages[0]).toMatchObject({ title: 'blue, green: scales up, but not down', held: true });
    expect(stages.at(-1)).toMatchObject({ name: 'free-scaling', held: false });
  });
});
