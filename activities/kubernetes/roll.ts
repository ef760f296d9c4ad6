import type { Site } from '../../contracts/activities.ts';
import type { JsonObject } from '../../contracts/json.ts';
import type { WorkloadRef } from '../../contracts/workload.ts';
import { held, marked } from './claim.ts';
import type { Cluster } from './cluster.ts';
import { applyObject, merge } from './objects.ts';

/**
 * Applies fields in our name, server-side, to exactly the version that was checked. Again: it is as it was. Whoever
 * manages one of these fields loses it: that was in the plan.
 */
export const applyWorkload = (cluster: Cluster, site: Site, workload: WorkloadRef, apply: JsonObject): Promise<void> =>
  held(cluster, site, workload, (found) => {
    const { resourceVersion = '' } = found.metadata ?? {};
    return applyObject(cluster, workload, { ...apply, metadata: { ...marked(site).metadata, resourceVersion } });
  });

/** Has Kubernetes go on with a rollout, or stop where it is; its deadline does not run meanwhile. */
export const holdRollout = (cluster: Cluster, site: Site, workload: WorkloadRef, paused: boolean): Promise<void> =>
  held(cluster, site, workload, (found) => merge(cluster, workload, found, { ...marked(site), spec: { paused } }));
