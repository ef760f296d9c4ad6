import type { RollingSpec } from '../../contracts/release-spec.ts';
import { containerProblems, workloadProblems } from '../releases/check-objects.ts';
import { workloadAt } from '../releases/facts.ts';
import { imageChanges, isBlind, plannedWorkload, replacement, workloadFindings } from '../releases/template.ts';
import { approval, parted, timesOf } from '../releases/words.ts';
import type { ReleaseStrategy } from './strategy.ts';

/** Pods of another image, a few at a time, as Kubernetes rolls a Deployment out; stuck, it goes back. */
export const rolling: ReleaseStrategy<RollingSpec> = {
  looks({ workload }) {
    const { namespace, name } = parted(workload);
    return { namespace, workloads: [name], services: [], route: null };
  },
  check(spec, facts) {
    const workload = workloadAt(facts, 0);
    const problems = workloadProblems(workload, '/workload');
    return workload.uid === null ? problems : [...containerProblems(spec.images, workload), ...problems];
  },
  plan(spec, facts) {
    const workload = workloadAt(facts, 0);
    const changes = imageChanges(workload, spec.images);
    const object = plannedWorkload(workload);
    return {
      object,
      stages: [
        {
          kind: 'roll',
          name: 'roll',
          title: changes.length === 0 ? 'the images are these already' : changes.join(', '),
          undoTitle: 'the pods of before, in the same way',
          approve: approval(spec.approve ?? false),
          estimateMs: null,
          workload: object,
          ...replacement(workload, { surge: 2, unavailable: 1, ...timesOf(spec), ...spec }),
        },
      ],
      changes: changes.map((change) => ({
        change,
        class: 'safe',
        because: 'old pods serve until new ones are ready',
      })),
      findings: workloadFindings(workload, spec.images),
      risk: isBlind(workload)
        ? { level: 'medium', because: ['a container without a readiness probe'] }
        : { level: 'low', because: [] },
      estimate: { workMs: null, graceMs: 0, rows: null },
    };
  },
};
