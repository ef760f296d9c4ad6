import type { V1Deployment, V1StatefulSet } from '@kubernetes/client-node';
import type { WorkloadKind } from '../../contracts/catalog.ts';
import type { RollStatus } from '../../contracts/workload.ts';
import { partOf } from './cluster.ts';

/** What the API server has of a workload. */
export type Workload = V1Deployment | V1StatefulSet;

interface Counts {
  readonly wanted: number;
  /** Pods of the new template. */
  readonly updated: number;
  /** All pods. */
  readonly replicas: number;
  readonly ready: number;
  /** Ready, and long enough so. */
  readonly available: number;
}

/**
 * Reads a workload as `kubectl rollout status` does (kubectl, pkg/polymorphichelpers/rollout_status.go), or, with a
 * number of new pods that are enough, whether these are there and every pod is ready.
 */
export function rollStatus(kind: WorkloadKind, workload: Workload, pods?: number): RollStatus {
  const counts = countsOf(workload);
  const { wanted, updated, ready, available } = counts;
  const seen = isSeen(workload);
  const missing = seen ? missingOf(kind, counts, pods) : 'the controller has not seen it yet';
  const serving = kind === 'Deployment' && pods === undefined ? available : ready;
  return {
    done: missing === null,
    updated: Math.min(updated, serving),
    wanted: pods ?? wanted,
    stuck: seen && pods === undefined && isStuck(workload),
    because: missing === null ? doneWords(counts) : `${missing}${refused(workload)}`,
  };
}

function doneWords({ wanted, updated }: Counts): string {
  if (wanted === 0) return 'there are no pods';
  return updated < wanted
    ? `${updated} of ${wanted} pods are new, and all are ready`
    : `all ${updated} pods are new and ready`;
}

const countsOf = ({ spec, status }: Workload): Counts => {
  const { updatedReplicas: updated = 0, replicas = 0, availableReplicas: available = 0 } = partOf(status);
  return { wanted: spec?.replicas ?? 1, updated, replicas, ready: status?.readyReplicas ?? 0, available };
};

/** Whether the controller knows the workload as it is now. */
export const isSeen = ({ metadata, status }: Workload): boolean =>
  (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0);

const isStuck = ({ status }: Workload): boolean =>
  (status?.conditions ?? []).some(
    ({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded',
  );

/** Why no pods come, in a word of the controller's own list; its message may hold anything. */
const refused = ({ status }: Workload): string =>
  (status?.conditions ?? [])
    .filter(({ type, status: says }) => type === 'ReplicaFailure' && says === 'True')
    .map(({ reason }) => (/^\w{1,40}$/.test(reason ?? '') ? `, ${reason}` : ''))
    .join('');

/** What is not done yet; null: nothing. */
function missingOf(kind: WorkloadKind, counts: Counts, pods: number | undefined): string | null {
  if (pods !== undefined) return missingOfBatch(counts, pods);
  return kind === 'Deployment' ? missingOfDeployment(counts) : missingOfBatch(counts, counts.wanted);
}

function missingOfBatch({ wanted, updated, replicas, ready }: Counts, pods: number): string | null {
  if (updated < Math.min(pods, wanted)) return `${updated} of ${pods} pods are new`;
  // which of them are not ready is not said: the old ones have to be as well
  const all = Math.max(wanted, replicas);
  return ready < all ? `${ready} of ${all} pods are ready` : null;
}

function missingOfDeployment({ wanted, updated, replicas, available }: Counts): string | null {
  if (updated < wanted) return `${updated} of ${wanted} pods are new`;
  if (replicas > updated) return `${replicas - updated} old pods are still ending`;
  return available < updated ? `${available} of ${updated} new pods are ready` : null;
}
