import type { RollStage } from '../../contracts/plan.ts';
import type { RecreateSpec } from '../../contracts/release-spec.ts';
import type { WorkloadFacts } from '../../contracts/workload.ts';
import { containerProblems, workloadProblems } from '../releases/check-objects.ts';
import { workloadAt } from '../releases/facts.ts';
import { imageChanges, plannedWorkload, replacement, withReplicas } from '../releases/template.ts';
import { approval, parted, usual } from '../releases/words.ts';
import type { ReleaseStrategy } from './strategy.ts';

/** All pods end before the new ones start: for what can't live beside itself. Nobody serves in between. */
export const recreate: ReleaseStrategy<RecreateSpec> = {
  looks({ workload }) {
    const { namespace, name } = parted(workload);
    return { namespace, workloads: [name], services: [], route: null };
  },
  check(spec, facts) {
    const workload = workloadAt(facts, 0);
    const problems = workloadProblems(workload, '/workload', true);
    return workload.uid === null ? problems : [...containerProblems(spec.images, workload), ...problems];
  },
  plan(spec, facts) {
    const workload = workloadAt(facts, 0);
    const changes = imageChanges(workload, spec.images);
    return {
      object: plannedWorkload(workload),
      stages: [stop(spec, workload), start(spec, workload, changes)],
      changes: changes.map((change) => ({
        change,
        class: 'unsafe',
        because: 'nobody serves until the new pods are ready',
      })),
      findings: [
        {
          code: 'DOWNTIME',
          level: 'warned',
          detail: `from the end of the last of ${workload.replicas} pods until a new one is ready nobody serves`,
          pointer: '/accept',
        },
      ],
      risk: { level: 'high', because: ['downtime, which the spec accepts'] },
      estimate: { workMs: null, graceMs: 0, rows: null },
    };
  },
};

/** Where there are no pods none are replaced: how they are stays as it was, for whoever deploys next. */
const fieldsOf = (spec: RecreateSpec, workload: WorkloadFacts) =>
  replacement(workload, {
    images: spec.images,
    surge: null,
    unavailable: 0,
    grace: spec.grace ?? usual.grace,
    drain: '0s',
    deadline: spec.deadline ?? usual.deadline,
  });

function stop(spec: RecreateSpec, workload: WorkloadFacts): RollStage {
  const { back } = fieldsOf(spec, workload);
  return {
    kind: 'roll',
    name: 'stop',
    title: `all ${workload.replicas} pods end: downtime begins`,
    undoTitle: `${workload.replicas} pods as before`,
    approve: approval(spec.approve ?? true),
    estimateMs: null,
    workload: plannedWorkload(workload),
    ...withReplicas({ apply: back, back }, 0, workload.replicas),
  };
}

function start(spec: RecreateSpec, workload: WorkloadFacts, changes: readonly string[]): RollStage {
  return {
    kind: 'roll',
    name: 'start',
    title: `${changes.length === 0 ? 'the same images' : changes.join(', ')}: downtime ends`,
    undoTitle: 'all pods end',
    approve: null,
    estimateMs: null,
    workload: plannedWorkload(workload),
    ...withReplicas(fieldsOf(spec, workload), workload.replicas, 0),
  };
}
