import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import type { Site } from '../../contracts/activities.ts';
import type { JsonObject } from '../../contracts/json.ts';
import type { WorkloadRef } from '../../contracts/workload.ts';
import { held, marked, merge } from './claim.ts';
import { asking, fieldManager, type Cluster } from './cluster.ts';

/**
 * Applies fields in our name, server-side, to exactly the version that was checked. Again: it is as it was. Whoever
 * manages one of these fields loses it: that was in the plan.
 */
export const applyWorkload = (cluster: Cluster, site: Site, workload: WorkloadRef, apply: JsonObject): Promise<void> =>
  held(cluster, site, workload, async (found) => {
    const { namespace, name } = workload;
    const metadata = { ...marked(site).metadata, namespace, name, resourceVersion: found.metadata?.resourceVersion };
    await asking(cluster, `apply to deployment ${namespace}/${name}`, () =>
      cluster.apps.patchNamespacedDeployment(
        { namespace, name, fieldManager, force: true, body: { ...apply, metadata } },
        setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply),
      ),
    );
  });

/** Has Kubernetes go on with a rollout, or stop where it is; its deadline does not run meanwhile. */
export const holdRollout = (cluster: Cluster, site: Site, workload: WorkloadRef, paused: boolean): Promise<void> =>
  held(cluster, site, workload, (found) => merge(cluster, found, { ...marked(site), spec: { paused } }));
