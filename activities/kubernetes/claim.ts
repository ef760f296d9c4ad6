import { activityInfo, sleep } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { ClaimResult, Site } from '../../contracts/activities.ts';
import type { HeldObject, ObjectRef } from '../../contracts/workload.ts';
import { failure } from '../failures.ts';
import { fieldManager, type Cluster } from './cluster.ts';
import { merge, nameOf, readObject, type FoundObject } from './objects.ts';

/** Annotations by which an object says who holds it, and the latest effect that it has seen. */
const heldBy = 'lakeshift.dev/held-by';
const fence = 'lakeshift.dev/fence';
/** On a route: both sides stood in it before anything began, and do so at the end. */
const listed = 'lakeshift.dev/both-sides-listed';

/** The deployment that holds an object; null: none. */
export const holderOf = ({ metadata }: FoundObject): string | null => metadata?.annotations?.[heldBy] ?? null;

/** Takes all objects, or says who has one of them; then none is held. Again by the same deployment: they are held. */
export async function claimObjects(cluster: Cluster, site: Site, objects: readonly HeldObject[]): Promise<ClaimResult> {
  for (const [index, object] of objects.entries()) {
    const result = await claimObject(cluster, site, object);
    if (result.held) continue;
    await releaseObjects(cluster, site, objects.slice(0, index));
    return result;
  }
  return { held: true };
}

const claimObject = (cluster: Cluster, site: Site, object: HeldObject): Promise<ClaimResult> =>
  again(cluster, object, async (found): Promise<ClaimResult> => {
    if (found.metadata?.uid !== object.uid) throw drifted(object, 'is not the one that the plan was made for');
    const holder = holderOf(found);
    if (holder !== null && holder !== site.deployment) return { held: false, holder };
    if (holder === null || fenceOf(found) < deliveryOf(site)) await merge(cluster, object, found, marked(site));
    return { held: true };
  });

/** Refuses every delivery of an effect that is older than this one, from now on. What is gone takes none any more. */
export async function raiseFences(cluster: Cluster, site: Site, objects: readonly ObjectRef[]): Promise<void> {
  await Promise.all(
    objects.map(async (object) => {
      if ((await readObject(cluster, object)) === null) return;
      await held(cluster, site, object, (found) => merge(cluster, object, found, marked(site)));
    }),
  );
}

/**
 * Runs one write on an object as it is, if this delivery of an effect is the latest that it has seen. The write has
 * to carry the version that is handed out, and what `marked` says: then check, mark and effect are one.
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- what an object of that kind is
export async function held<T, F extends FoundObject>(
  cluster: Cluster,
  site: Site,
  object: ObjectRef,
  write: (found: F) => Promise<T>,
): Promise<T> {
  return again(cluster, object, (found: F) => {
    checkHeld(site, object, found);
    return write(found);
  });
}

/** Throws CLAIM_GONE or FENCED unless this delivery may write. */
export function checkHeld(site: Site, object: ObjectRef, found: FoundObject): void {
  if (holderOf(found) !== site.deployment)
    throw failure('CLAIM_GONE', `${nameOf(object)} says nothing of ${site.deployment} any more`);
  if (fenceOf(found) > deliveryOf(site)) throw fenced(site);
}

/** Gives objects back and leaves nothing of ours in them: no annotation, no claim to a field. */
export async function releaseObjects(cluster: Cluster, site: Site, objects: readonly ObjectRef[]): Promise<void> {
  for (const object of objects) await releaseObject(cluster, site, object);
}

async function releaseObject(cluster: Cluster, site: Site, object: ObjectRef): Promise<void> {
  if ((await readObject(cluster, object)) === null) return;
  await again(cluster, object, async (found) => {
    if (holderOf(found) !== site.deployment) return;
    if (fenceOf(found) > deliveryOf(site)) throw fenced(site);
    const others = (found.metadata?.managedFields ?? []).filter(({ manager }) => manager !== fieldManager);
    // an empty list would have the server forget who manages what
    const managedFields = others.length === 0 ? {} : { managedFields: others };
    await merge(cluster, object, found, {
      metadata: { annotations: { [heldBy]: null, [fence]: null, [listed]: null }, ...managedFields },
    });
  });
}

/** What every write of ours says of itself. */
export const marked = (site: Site) => ({
  metadata: { annotations: { [heldBy]: site.deployment, [fence]: String(deliveryOf(site)) } },
});

/** The same of a route in which both sides were listed before anything began. */
export const markedListed = (site: Site) => ({
  metadata: { annotations: { ...marked(site).metadata.annotations, [listed]: 'true' } },
});

/** Whether a write of this deployment has found both sides listed in a route. */
export const wasListed = ({ metadata }: FoundObject): boolean => metadata?.annotations?.[listed] !== undefined;

/** How often a write is begun anew at once because somebody, mostly the controller, was in between. */
const mostTries = 8;

// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- what an object of that kind is
async function again<T, F extends FoundObject = FoundObject>(
  cluster: Cluster,
  object: ObjectRef,
  work: (found: F) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    const found = await readObject<F>(cluster, object);
    if (found === null) throw drifted(object, 'is gone');
    try {
      return await work(found);
    } catch (error) {
      if (!(error instanceof ApplicationFailure) || error.type !== 'TARGET_BUSY' || tries === mostTries) throw error;
      await sleep(20 * tries);
    }
  }
}

const drifted = (object: ObjectRef, what: string) => failure('TARGET_DRIFTED', `${nameOf(object)} ${what}`);
const fenced = ({ deployment }: Site) => failure('FENCED', `a newer attempt of ${deployment} has taken over`);

const fenceOf = ({ metadata }: FoundObject): number => Number(metadata?.annotations?.[fence] ?? 0);

/** By turn, then by attempt: a first copy that wakes up late is behind a second one. */
const deliveryOf = ({ turn }: Site): number => turn * 1_000 + Math.min(activityInfo().attempt, 999);
