import type { FieldProblem } from '../../contracts/api.ts';
import type { WorkloadKind } from '../../contracts/catalog.ts';
import type { ServiceFacts, WorkloadFacts } from '../../contracts/workload.ts';
import { nearest } from '../nearest.ts';

/** What speaks against touching a workload that a field of the spec names. `atOnce`: all its pods may end at once. */
export function workloadProblems(facts: WorkloadFacts, pointer: string, atOnce = false): readonly FieldProblem[] {
  const called = `${facts.namespace}/${facts.name}`;
  if (facts.uid === null) return [missing(facts.kind, called, facts.nearby, pointer)];
  const { strategy, paused, partition = 0 } = facts.rollout;
  return [
    ...owned(called, facts.ownedBy, pointer),
    ...(strategy === 'RollingUpdate' || atOnce
      ? []
      : [{ pointer, detail: `${called} is of strategy ${strategy}, which ${strategies[facts.kind]}` }]),
    // somebody had a reason, and their change may be half done
    ...(paused ? [{ pointer, detail: `somebody has paused the rollout of ${called}` }] : []),
    ...(partition > 0
      ? [{ pointer, detail: `somebody holds the first ${partition} pods of ${called} back (partition ${partition})` }]
      : []),
  ];
}

/** What the other strategy of each kind does. */
const strategies: Readonly<Record<WorkloadKind, string>> = {
  Deployment: 'takes all pods at once',
  StatefulSet: 'leaves it to others to replace pods',
};

/** What speaks against touching a Service. */
export function serviceProblems(facts: ServiceFacts, pointer: string): readonly FieldProblem[] {
  const called = `${facts.namespace}/${facts.name}`;
  if (facts.uid === null) return [missing('Service', called, facts.nearby, pointer)];
  return owned(called, facts.ownedBy, pointer);
}

/** Images for containers that are not there. */
export function containerProblems(
  images: Readonly<Record<string, string>>,
  { containers }: WorkloadFacts,
): readonly FieldProblem[] {
  const names = containers.map(({ name }) => name);
  return Object.keys(images)
    .filter((name) => !names.includes(name))
    .map((name) => {
      const near = nearest(name, names);
      const detail = `there is no container ${name}; there are ${names.join(', ')}`;
      return { pointer: `/images/${name}`, detail, ...(near === null ? {} : { didYouMean: near }) };
    });
}

/** What a repository says comes back: then two would undo each other's work. */
export const owned = (called: string, ownedBy: string | null, pointer: string): FieldProblem[] =>
  ownedBy === null ? [] : [{ pointer, detail: `${ownedBy} keeps ${called} as its repository says: change it there` }];

/** Something that is not there, with the nearest name. */
export function missing(kind: string, called: string, nearby: readonly string[], pointer: string): FieldProblem {
  const near = nearest(called, nearby);
  const detail = `there is no ${kind} ${called}`;
  return { pointer, detail, ...(near === null ? {} : { didYouMean: near }) };
}
