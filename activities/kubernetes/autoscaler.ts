import type { V2HorizontalPodAutoscaler } from '@kubernetes/client-node';
import type { Site } from '../../contracts/activities.ts';
import type { AutoscalerFacts, HeldAutoscaler, WorkloadRef } from '../../contracts/workload.ts';
import { held, holderOf, marked } from './claim.ts';
import { fieldManager, type Cluster } from './cluster.ts';
import { applyObject, listObjects, merge, readObject } from './objects.ts';
import { ownerOf } from './owner.ts';

/** The value of `selectPolicy` with which no policy scales down. */
const never = 'Disabled';

/** The autoscalers that change the number of a workload's pods. */
export async function lookAutoscalers(
  cluster: Cluster,
  { kind, namespace, name }: WorkloadRef,
): Promise<readonly AutoscalerFacts[]> {
  const all = await listObjects<V2HorizontalPodAutoscaler>(cluster, 'HorizontalPodAutoscaler', namespace);
  return all
    .filter(({ spec }) => spec.scaleTargetRef.kind === kind && spec.scaleTargetRef.name === name)
    .map((found) => ({
      name: found.metadata?.name ?? '',
      uid: found.metadata?.uid ?? '',
      selectPolicy: policyOf(found),
      ownedBy: ownerOf(found) ?? controllerOf(found),
      holder: holderOf(found),
    }));
}

/**
 * Keeps an autoscaler from scaling down, or lets it scale as before; scaling up is never touched. Again: it is so. One
 * that is gone scales nothing, and what somebody has chosen meanwhile instead of ours stays.
 */
export async function setScaling(cluster: Cluster, site: Site, scaler: HeldAutoscaler, hold: boolean): Promise<void> {
  if ((await readObject(cluster, scaler)) === null) return;
  await held(cluster, site, scaler, async (found: V2HorizontalPodAutoscaler) => {
    if (hold) await keepUp(cluster, site, scaler, found);
    else if (policyOf(found) === never) await letGo(cluster, site, scaler, found);
  });
}

function keepUp(
  cluster: Cluster,
  site: Site,
  scaler: HeldAutoscaler,
  { metadata }: V2HorizontalPodAutoscaler,
): Promise<void> {
  const { resourceVersion = '' } = metadata ?? {};
  return applyObject(cluster, scaler, {
    spec: { behavior: { scaleDown: { selectPolicy: never } } },
    metadata: { ...marked(site).metadata, resourceVersion },
  });
}

/** Where it said nothing the server has written its defaults beside ours: they go too, unless somebody has added to them. */
function letGo(cluster: Cluster, site: Site, scaler: HeldAutoscaler, found: V2HorizontalPodAutoscaler): Promise<void> {
  const behavior =
    scaler.before === null && !isSharedBehavior(found)
      ? null
      : // the default of the server
        { scaleDown: { selectPolicy: scaler.before ?? 'Max' } };
  return merge(cluster, scaler, found, { ...marked(site), spec: { behavior } });
}

const isSharedBehavior = ({ metadata }: V2HorizontalPodAutoscaler): boolean =>
  (metadata?.managedFields ?? []).some(
    ({ manager, fieldsV1 }) => manager !== fieldManager && JSON.stringify(fieldsV1 ?? {}).includes('"f:behavior"'),
  );

const policyOf = ({ spec }: V2HorizontalPodAutoscaler): string | null =>
  spec.behavior === undefined ? null : (spec.behavior.scaleDown?.selectPolicy ?? 'Max');

/** An object of another kind, such as a KEDA ScaledObject, that writes it. */
const controllerOf = ({ metadata }: V2HorizontalPodAutoscaler): string | null => {
  const owner = (metadata?.ownerReferences ?? []).find(({ controller }) => controller === true);
  return owner === undefined ? null : `${owner.kind} ${owner.name}`;
};
