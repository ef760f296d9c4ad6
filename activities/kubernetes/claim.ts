import { activityInfo, sleep } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { PatchStrategy, setHeaderOptions, type V1Deployment } from '@kubernetes/client-node';
import type { ClaimResult, Site } from '../../contracts/activities.ts';
import type { PlannedWorkload, WorkloadRef } from '../../contracts/workload.ts';
import { failure } from '../failures.ts';
import { asking, fieldManager, partOf, readDeployment, type Cluster } from './cluster.ts';

/** Annotations by which a workload says who holds it, and the latest effect that it has seen. */
const heldBy = 'lakeshift.dev/held-by';
const fence = 'lakeshift.dev/fence';

/** The deployment that holds a workload; null: none. */
export const holderOf = ({ metadata }: V1Deployment): string | null => metadata?.annotations?.[heldBy] ?? null;

/** Takes the workload, or says who has it. Again by the same deployment: it is held. */
export async function claimWorkload(cluster: Cluster, site: Site, workload: PlannedWorkload): Promise<ClaimResult> {
  return again(cluster, workload, async (found): Promise<ClaimResult> => {
    if (found.metadata?.uid !== workload.uid) throw drifted(workload, 'is not the one that the plan was made for');
    const holder = holderOf(found);
    if (holder !== null && holder !== site.deployment) return { held: false, holder };
    if (holder === null || fenceOf(found) < deliveryOf(site)) await merge(cluster, found, marked(site));
    return { held: true };
  });
}

/** Refuses every delivery of an effect that is older than this one, from now on. */
export const raiseWorkloadFence = (cluster: Cluster, site: Site, workload: WorkloadRef): Promise<void> =>
  held(cluster, site, workload, async (found) => {
    await merge(cluster, found, marked(site));
  });

/**
 * Runs one write on the workload as it is, if this delivery of an effect is the latest that it has seen. The write has
 * to carry the version that is handed out, and what `marked` says: then check, mark and effect are one.
 */
export async function held<T>(
  cluster: Cluster,
  site: Site,
  workload: WorkloadRef,
  write: (found: V1Deployment) => Promise<T>,
): Promise<T> {
  return again(cluster, workload, (found) => {
    if (holderOf(found) !== site.deployment)
      throw failure('CLAIM_GONE', `${named(workload)} says nothing of ${site.deployment} any more`);
    if (fenceOf(found) > deliveryOf(site)) throw fenced(site);
    return write(found);
  });
}

/** Gives the workload back and leaves nothing of ours in it: no annotation, no claim to a field. */
export async function releaseWorkload(cluster: Cluster, site: Site, workload: WorkloadRef): Promise<void> {
  const { namespace, name } = workload;
  if ((await readDeployment(cluster, namespace, name)) === null) return;
  await again(cluster, workload, async (found) => {
    if (holderOf(found) !== site.deployment) return;
    if (fenceOf(found) > deliveryOf(site)) throw fenced(site);
    const others = (found.metadata?.managedFields ?? []).filter(({ manager }) => manager !== fieldManager);
    // an empty list would have the server forget who manages what
    const managedFields = others.length === 0 ? {} : { managedFields: others };
    await merge(cluster, found, { metadata: { annotations: { [heldBy]: null, [fence]: null }, ...managedFields } });
  });
}

/** What every write of ours says of itself. */
export const marked = (site: Site) => ({
  metadata: { annotations: { [heldBy]: site.deployment, [fence]: String(deliveryOf(site)) } },
});

/** Writes into exactly the version that was read. */
export async function merge(
  cluster: Cluster,
  found: V1Deployment,
  change: { readonly metadata: object; readonly spec?: object },
): Promise<void> {
  const { namespace = '', name = '', resourceVersion } = partOf(found.metadata);
  await asking(cluster, `deployment ${namespace}/${name}`, () =>
    cluster.apps.patchNamespacedDeployment(
      { namespace, name, fieldManager, body: { ...change, metadata: { ...change.metadata, resourceVersion } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    ),
  );
}

/** How often a write is begun anew at once because somebody, mostly the controller, was in between. */
const mostTries = 8;

async function again<T>(
  cluster: Cluster,
  workload: WorkloadRef,
  work: (found: V1Deployment) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    const found = await readDeployment(cluster, workload.namespace, workload.name);
    if (found === null) throw drifted(workload, 'is gone');
    try {
      return await work(found);
    } catch (error) {
      if (!(error instanceof ApplicationFailure) || error.type !== 'TARGET_BUSY' || tries === mostTries) throw error;
      await sleep(20 * tries);
    }
  }
}

const named = ({ namespace, name }: WorkloadRef): string => `deployment ${namespace}/${name}`;
const drifted = (workload: WorkloadRef, what: string) => failure('TARGET_DRIFTED', `${named(workload)} ${what}`);
const fenced = ({ deployment }: Site) => failure('FENCED', `a newer attempt of ${deployment} has taken over`);

const fenceOf = ({ metadata }: V1Deployment): number => Number(metadata?.annotations?.[fence] ?? 0);

/** By turn, then by attempt: a first copy that wakes up late is behind a second one. */
const deliveryOf = ({ turn }: Site): number => turn * 1_000 + Math.min(activityInfo().attempt, 999);
