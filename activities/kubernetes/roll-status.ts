import type { V1Deployment } from '@kubernetes/client-node';
import { partOf } from './cluster.ts';
import type { RollStatus } from '../../contracts/workload.ts';

interface Counts {
  readonly wanted: number;
  /** Pods of the new template. */
  readonly updated: number;
  /** All pods. */
  readonly replicas: number;
  /** Ready, and long enough so. */
  readonly available: number;
}

/** Reads a Deployment as `kubectl rollout status` does (kubectl, pkg/polymorphichelpers/rollout_status.go). */
export function rollStatus(deployment: V1Deployment): RollStatus {
  const counts = countsOf(deployment);
  const { wanted, updated, available } = counts;
  const seen = isSeen(deployment);
  const missing = seen ? missingOf(counts) : 'the controller has not seen it yet';
  return {
    done: missing === null,
    updated: Math.min(updated, available),
    wanted,
    stuck: seen && isStuck(deployment),
    because: missing ?? `all ${updated} pods are new and ready`,
  };
}

const countsOf = ({ spec, status }: V1Deployment): Counts => {
  const { updatedReplicas: updated = 0, replicas = 0, availableReplicas: available = 0 } = partOf(status);
  return { wanted: spec?.replicas ?? 1, updated, replicas, available };
};

const isSeen = ({ metadata, status }: V1Deployment): boolean =>
  (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0);

const isStuck = ({ status }: V1Deployment): boolean =>
  (status?.conditions ?? []).some(
    ({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded',
  );

/** What is not done yet; null: nothing. */
function missingOf({ wanted, updated, replicas, available }: Counts): string | null {
  if (updated < wanted) return `${updated} of ${wanted} pods are new`;
  if (replicas > updated) return `${replicas - updated} old pods are still ending`;
  return available < updated ? `${available} of ${updated} new pods are ready` : null;
}
