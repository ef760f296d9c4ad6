import type { FieldProblem } from '../contracts/api.ts';
import type { RollingSpec } from '../contracts/spec.ts';
import type { WorkloadFacts } from '../contracts/workload.ts';
import { nearest } from './nearest.ts';

/** What the cluster says against a spec, each with the field that is the cause. */
export function checkWorkload(spec: RollingSpec, facts: WorkloadFacts): readonly FieldProblem[] {
  if (facts.uid === null) return [missing(spec.workload, facts.nearby)];
  return [
    ...unknownContainers(spec, facts),
    ...owned(spec, facts),
    ...otherStrategy(spec, facts),
    ...pausedBefore(spec, facts),
  ];
}

function missing(workload: string, nearby: readonly string[]): FieldProblem {
  const near = nearest(workload, nearby);
  const detail = `there is no Deployment ${workload}`;
  return { pointer: '/workload', detail, ...(near === null ? {} : { didYouMean: near }) };
}

const unknownContainers = ({ images }: RollingSpec, { containers }: WorkloadFacts): FieldProblem[] => {
  const names = containers.map(({ name }) => name);
  return Object.keys(images)
    .filter((name) => !names.includes(name))
    .map((name) => {
      const near = nearest(name, names);
      const detail = `there is no container ${name}; there are ${names.join(', ')}`;
      return { pointer: `/images/${name}`, detail, ...(near === null ? {} : { didYouMean: near }) };
    });
};

/** What a repository says comes back: then two would undo each other's work. */
const owned = ({ workload }: RollingSpec, { ownedBy }: WorkloadFacts): FieldProblem[] =>
  ownedBy === null
    ? []
    : [{ pointer: '/workload', detail: `${ownedBy} keeps ${workload} as its repository says: change it there` }];

const otherStrategy = ({ workload }: RollingSpec, { rollout }: WorkloadFacts): FieldProblem[] =>
  rollout.strategy === 'RollingUpdate'
    ? []
    : [
        {
          pointer: '/workload',
          detail: `${workload} is of strategy ${rollout.strategy}, which takes all pods at once`,
        },
      ];

/** Somebody had a reason, and their change may be half done. */
const pausedBefore = ({ workload }: RollingSpec, { rollout }: WorkloadFacts): FieldProblem[] =>
  rollout.paused ? [{ pointer: '/workload', detail: `somebody has paused the rollout of ${workload}` }] : [];
