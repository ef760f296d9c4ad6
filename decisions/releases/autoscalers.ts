import type { Finding, PlannedObject, ScalingStage, Stage } from '../../contracts/plan.ts';
import type { HeldAutoscaler, WorkloadFacts } from '../../contracts/workload.ts';

interface Parts {
  readonly object: PlannedObject;
  readonly stages: readonly Stage[];
}

/**
 * The same stages between two that keep the workloads' autoscalers from scaling down and let them again; they are held
 * like the workload. An approval of the first stage is asked for before.
 */
export function scaledUpOnly(workloads: readonly WorkloadFacts[], { object, stages }: Parts): Parts {
  const autoscalers = workloads.flatMap(heldScalers);
  const [first, ...others] = stages;
  if (autoscalers.length === 0 || first === undefined) return { object, stages };
  const names = autoscalers.map(({ name }) => name).join(', ');
  const also = autoscalers.map(({ kind, namespace, name, uid }) => ({ kind, namespace, name, uid }));
  const common = { kind: 'scaling', estimateMs: null, autoscalers } as const;
  const hold: ScalingStage = {
    ...common,
    name: 'hold-scaling',
    title: `${names}: scales up, but not down`,
    undoTitle: `${names}: scales as before`,
    approve: first.approve,
    held: true,
  };
  const free: ScalingStage = {
    ...common,
    name: 'free-scaling',
    title: `${names}: scales as before`,
    undoTitle: `${names}: scales up, but not down`,
    approve: null,
    held: false,
  };
  return {
    object: { ...object, also: [...(object.also ?? []), ...also] },
    stages: [hold, { ...first, approve: null }, ...others, free],
  };
}

/** Those that are nobody else's, and scale down at all. */
const heldScalers = ({ namespace, scalers = [] }: WorkloadFacts): HeldAutoscaler[] =>
  scalers
    .filter(({ ownedBy, selectPolicy }) => ownedBy === null && selectPolicy !== 'Disabled')
    .map(({ name, uid, selectPolicy }) => ({
      kind: 'HorizontalPodAutoscaler',
      namespace,
      name,
      uid,
      before: selectPolicy,
    }));

/** Autoscalers that somebody else writes: what we would change there comes back. */
export const scalerFindings = (workloads: readonly WorkloadFacts[]): Finding[] =>
  workloads.flatMap(({ scalers = [] }) =>
    scalers.flatMap(({ name, ownedBy }): Finding[] =>
      ownedBy === null
        ? []
        : [
            {
              code: 'AUTOSCALER_KEPT',
              level: 'warned',
              detail: `${ownedBy} keeps HorizontalPodAutoscaler ${name}: it may scale down meanwhile`,
            },
          ],
    ),
  );
