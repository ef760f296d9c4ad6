import type { ClusterFacts, ClusterLooks } from '../../contracts/cluster-facts.ts';
import type { PlannedObject, Stage } from '../../contracts/plan.ts';
import type { CanarySpec } from '../../contracts/release-spec.ts';
import type { Candidate, HeldObject, WorkloadFacts } from '../../contracts/workload.ts';
import { scaledUpOnly, scalerFindings } from '../releases/autoscalers.ts';
import { candidateOf, candidateProblems } from '../releases/candidates.ts';
import { workloadAt } from '../releases/facts.ts';
import { candidateName, routeOf, routeProblems, unseen } from '../releases/routes.ts';
import { podsFor, shifts, stepsOf } from '../releases/steps.ts';
import { imageChanges, isBlind, plannedWorkload, replacement, workloadFindings } from '../releases/template.ts';
import { ms, parted, seconds, timesOf, usual } from '../releases/words.ts';
import type { ReleaseStrategy, StagesAndRisk } from './strategy.ts';

/**
 * A candidate beside the stable side gets more and more of the traffic. At the end the stable side gets its images, takes
 * the traffic back, and the candidate goes: whoever deploys next finds everything under its own name.
 */
export const canary: ReleaseStrategy<CanarySpec> = {
  looks: (spec) => looksOf(spec),
  check: (spec, facts) => [
    ...routeProblems(routeOf(spec), facts.route, spec.route),
    ...(isFlag(spec) ? [] : candidateProblems(spec, facts)),
  ],
  plan: (spec, facts) => ({
    ...scaledUpOnly(isFlag(spec) ? [] : [workloadAt(facts, 0)], {
      object: objectOf(spec, facts),
      stages: isFlag(spec) ? shifts(spec, null, 0) : ofWorkload(spec, facts),
    }),
    findings: unseen(spec),
    ...(isFlag(spec) ? ofFlag(spec) : pods(spec, workloadAt(facts, 0))),
    estimate: { workMs: timeOf(spec), graceMs: 0, rows: null },
  }),
};

type Judged = Pick<StagesAndRisk, 'changes' | 'findings' | 'risk'>;

const why = { class: 'safe', because: 'a growing share of the traffic, watched' } as const;
const low = { level: 'low', because: [] } as const;

const ofFlag = (spec: CanarySpec): Omit<Judged, 'findings'> => ({
  changes: [{ change: routeWords(spec.route), ...why }],
  risk: low,
});

const pods = (spec: CanarySpec, workload: WorkloadFacts): Judged => ({
  changes: imageChanges(workload, spec.images ?? {}).map((change) => ({ change, ...why })),
  findings: [...workloadFindings(workload, spec.images ?? {}), ...scalerFindings([workload]), ...unseen(spec)],
  risk: isBlind(workload) ? { level: 'medium', because: ['a container without a readiness probe'] } : low,
});

const routeWords = (route: CanarySpec['route']): string =>
  route.via === 'flag' ? `flag ${route.flag}: ${route.stable} → ${route.candidate}` : route.via;

/** How long its steps last at least, ms. */
const timeOf = (spec: CanarySpec): number =>
  stepsOf(spec).reduce((sum, step) => sum + ms(step.for), 0) + ms(spec.keepOld ?? '0s');

/** A flag divides users, not pods: nothing is brought up for it. */
const isFlag = ({ route }: CanarySpec): boolean => route.via === 'flag';

function looksOf(spec: CanarySpec): ClusterLooks {
  const { namespace, name } = parted(spec.workload);
  const route = routeOf(spec);
  if (isFlag(spec)) return { namespace, workloads: [], services: [], route };
  const services = spec.service === undefined ? [] : [spec.service, candidateName(spec.service)];
  return { namespace, workloads: [name, candidateName(name)], services, route };
}

/** All that a canary holds; the workload, or the flag's ConfigMap, is what it is known by. */
function objectOf(spec: CanarySpec, facts: ClusterFacts): PlannedObject {
  const route = facts.route?.object ?? null;
  if (isFlag(spec)) return route ?? { kind: 'ConfigMap', ...parted(spec.workload), uid: '' };
  const also: HeldObject[] = route === null ? [] : [route];
  return { ...plannedWorkload(workloadAt(facts, 0)), also };
}

/** The candidate as its first step needs it. */
function firstPods(spec: CanarySpec, facts: ClusterFacts, replicas: number): Candidate {
  const { drain, deadline } = timesOf(spec);
  return candidateOf(spec, facts, {
    replicas: podsFor(stepsOf(spec)[0]?.weight ?? 0, replicas),
    drainSeconds: seconds(drain),
    deadlineSeconds: seconds(deadline),
  });
}

function ofWorkload(spec: CanarySpec, facts: ClusterFacts): readonly Stage[] {
  const workload = workloadAt(facts, 0);
  const { replicas } = workload;
  const candidate = firstPods(spec, facts, replicas);
  const ref = { kind: 'Deployment', namespace: workload.namespace, name: candidate.name } as const;
  const changes = imageChanges(workload, spec.images ?? {});
  const how = { images: spec.images ?? {}, surge: '25%', unavailable: 0, ...timesOf(spec) };
  return [
    {
      kind: 'candidate',
      name: 'candidate',
      title: `${candidate.name}: ${changes.length === 0 ? 'the same images' : changes.join(', ')}`,
      undoTitle: `remove ${candidate.name}`,
      approve: null,
      estimateMs: null,
      candidate,
    },
    ...shifts(spec, ref, replicas),
    {
      kind: 'roll',
      name: 'promote',
      title: `${workload.name} gets the images of the candidate, which serves meanwhile`,
      undoTitle: 'its pods of before',
      approve: null,
      estimateMs: null,
      workload: plannedWorkload(workload),
      ...replacement(workload, how),
    },
    {
      ...bare(spec),
      name: 'home',
      title: `everything to ${workload.name} again`,
      undoTitle: 'everything to the candidate',
      weight: 0,
      back: 100,
    },
    {
      kind: 'retire',
      name: 'retire',
      title: `remove ${candidate.name}`,
      undoTitle: `bring ${candidate.name} up again`,
      approve: null,
      estimateMs: null,
      candidate: { ...candidate, replicas },
    },
  ];
}

/** A share that is only set and read back: both sides are the same by then, and can't be told apart. */
const bare = (spec: CanarySpec) => ({
  kind: 'shift' as const,
  approve: null,
  estimateMs: null,
  route: routeOf(spec),
  scale: null,
  seen: null,
  forMs: 0,
  everyMs: ms(spec.every ?? usual.every),
  gate: null,
  onFail: 'rollback' as const,
});
