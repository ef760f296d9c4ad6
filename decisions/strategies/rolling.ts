import type { RollingSpec } from '../../contracts/release-spec.ts';
import type { RollStage } from '../../contracts/plan.ts';
import type { WorkloadFacts } from '../../contracts/workload.ts';
import { scaledUpOnly, scalerFindings } from '../releases/autoscalers.ts';
import { batchesOf, batchProblems, batchStages } from '../releases/batches.ts';
import { containerProblems, workloadProblems } from '../releases/check-objects.ts';
import { workloadAt } from '../releases/facts.ts';
import { imageChanges, isBlind, plannedWorkload, replacement, workloadFindings } from '../releases/template.ts';
import { approval, parted, timesOf } from '../releases/words.ts';
import type { ReleaseStrategy } from './strategy.ts';

/** Pods of another image, a few at a time, as Kubernetes rolls a workload out; stuck, it goes back. */
export const rolling: ReleaseStrategy<RollingSpec> = {
  looks({ workload, kind = 'Deployment' }) {
    const { namespace, name } = parted(workload);
    return { kind, namespace, workloads: [name], services: [], route: null };
  },
  check(spec, facts) {
    const workload = workloadAt(facts, 0);
    const problems = workloadProblems(workload, '/workload');
    if (workload.uid === null) return problems;
    return [...containerProblems(spec.images, workload), ...problems, ...batchProblems(spec, workload)];
  },
  plan(spec, facts) {
    const workload = workloadAt(facts, 0);
    const batches = batchesOf(spec, workload);
    const stages = batches === null ? [whole(spec, workload)] : batchStages(spec, workload, batches);
    return {
      ...scaledUpOnly([workload], { object: plannedWorkload(workload), stages }),
      changes: imageChanges(workload, spec.images).map((change) => ({
        change,
        class: 'safe',
        because:
          workload.kind === 'Deployment'
            ? 'old pods serve until new ones are ready'
            : 'the other pods serve while one is replaced',
      })),
      findings: [...workloadFindings(workload, spec.images), ...scalerFindings([workload])],
      risk: isBlind(workload)
        ? { level: 'medium', because: ['a container without a readiness probe'] }
        : { level: 'low', because: [] },
      estimate: { workMs: null, graceMs: 0, rows: null },
    };
  },
};

/** All pods, at the pace of Kubernetes itself. */
function whole(spec: RollingSpec, workload: WorkloadFacts): RollStage {
  const changes = imageChanges(workload, spec.images);
  return {
    kind: 'roll',
    name: 'roll',
    title: changes.length === 0 ? 'the images are these already' : changes.join(', '),
    undoTitle: 'the pods of before, in the same way',
    approve: approval(spec.approve ?? false),
    estimateMs: null,
    workload: plannedWorkload(workload),
    ...replacement(workload, { surge: 2, unavailable: 1, ...timesOf(spec), ...spec }),
  };
}
