import type { ContainerFacts, WorkloadFacts } from '../../../contracts/workload.ts';
import { rolling } from '../../../decisions/strategies/rolling.ts';

const object = { kind: 'Deployment', namespace: 'shop', name: 'checkout', uid: 'u' } as const;

const app: ContainerFacts = {
  name: 'app',
  image: 'app:v1',
  drainSeconds: null,
  otherPreStop: false,
  hasReadiness: true,
};

function warned(container: Partial<ContainerFacts>, images: Readonly<Record<string, string>>): readonly string[] {
  const facts: WorkloadFacts = {
    ...object,
    replicas: 3,
    ready: 3,
    containers: [{ ...app, ...container }],
    rollout: {
      strategy: 'RollingUpdate',
      surge: null,
      unavailable: null,
      graceSeconds: 30,
      deadlineSeconds: 600,
      paused: false,
    },
    ownedBy: null,
    autoscalers: [],
    nearby: [],
    holder: null,
  };
  const spec = { name: 'c', strategy: 'rolling', target: 'k8s', workload: 'shop/checkout', images } as const;
  return rolling({ spec, facts, object }).findings.map(({ code }) => code);
}

describe('the plan of a rolling release', () => {
  it.each([
    ['have no preStop', {}, ['NO_DRAIN']],
    ['have one that does not wait', { drainSeconds: 0 }, ['NO_DRAIN']],
    ['wait in theirs', { drainSeconds: 5 }, []],
    ['have another one, which may drain', { otherPreStop: true }, []],
  ])('warns of requests that are lost where the pods of before %s', (_, container, expected) => {
    expect(warned(container, { app: 'app:v2' })).toEqual(expected);
  });

  it('says nothing of a container that stays as it is', () => {
    expect(warned({}, { sidecar: 'proxy:2' })).toEqual([]);
  });
});
