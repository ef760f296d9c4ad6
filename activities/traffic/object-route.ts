import type { Site } from '../../contracts/activities.ts';
import type { ObjectKind } from '../../contracts/catalog.ts';
import type { RouteFacts, RouteState } from '../../contracts/route.ts';
import type { ObjectRef } from '../../contracts/workload.ts';
import { failure } from '../failures.ts';
import { held, holderOf, marked, markedListed, wasListed } from '../kubernetes/claim.ts';
import type { Cluster } from '../kubernetes/cluster.ts';
import { merge, nameOf, namesOf, readObject, type FoundObject } from '../kubernetes/objects.ts';
import { ownerOf } from '../kubernetes/owner.ts';
import type { Router } from './router.ts';

interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** How a route lies in an object of the cluster. */
export interface ObjectForm<R, F extends FoundObject> {
  readonly kind: ObjectKind;
  readonly stateOf: (found: F, route: R) => RouteState;
  /** What a write changes besides the annotations; `both`: a side without a share stays listed. */
  readonly change: (found: F, route: R, weight: number, both: boolean) => Record<string, unknown>;
  /** Whether the candidate is listed though it has no share; absent: such a thing can't be. */
  readonly listsBoth?: (found: F, route: R) => boolean;
  /** Services that have to be there at that weight. */
  readonly services: (route: R, weight: number) => readonly string[];
  /** What else the route needs and is not there, in words; absent: it needs nothing. */
  readonly lacking?: (cluster: Cluster, route: R) => Promise<string | null>;
}

/** A router whose route is an object in the cluster: check, mark and change are one write. */
export function objectRouter<R extends Named, F extends FoundObject>({
  kind,
  stateOf,
  change,
  services,
  listsBoth = () => false,
  lacking = () => Promise.resolve(null),
}: ObjectForm<R, F>): Router<R> {
  const refOf = ({ namespace, name }: R): ObjectRef => ({ kind, namespace, name });
  return {
    async look({ cluster }, route) {
      const ref = refOf(route);
      const found = await readObject<F>(cluster, ref);
      if (found === null) return missing(cluster, ref);
      const because = await lacking(cluster, route);
      return factsOf(ref, found, because === null ? stateOf(found, route) : { weight: null, because });
    },
    async read({ cluster, read }, route) {
      const ref = refOf(route);
      const found = await read<F>(cluster, ref);
      if (found === null) throw failure('TARGET_DRIFTED', `${nameOf(ref)} is gone`);
      return stateOf(found, route);
    },
    async write({ cluster }, site: Site, route, weight) {
      const ref = refOf(route);
      await Promise.all(services(route, weight).map((name) => mustBe(cluster, ref, name)));
      const because = await lacking(cluster, route);
      if (because !== null) throw failure('TARGET_DRIFTED', `${nameOf(ref)}: ${because}`);
      return held(cluster, site, ref, async (found: F) => {
        const state = stateOf(found, route);
        if (state.weight === weight) return;
        const both = wasListed(found) || (state.weight === 0 && listsBoth(found, route));
        const changed = change(found, route, weight, both);
        if (state.weight === null && stateOf({ ...found, ...changed }, route).weight !== weight)
          // a rule that is gone can't be written into
          throw failure('TARGET_DRIFTED', `${nameOf(ref)}: ${state.because}`);
        await merge(cluster, ref, found, { ...(both ? markedListed(site) : marked(site)), ...changed });
      });
    },
  };
}

/** A share for a Service that is not there would be lost. */
async function mustBe(cluster: Cluster, route: ObjectRef, name: string): Promise<void> {
  const ref: ObjectRef = { kind: 'Service', namespace: route.namespace, name };
  if ((await readObject(cluster, ref)) === null)
    throw failure('TARGET_DRIFTED', `${nameOf(route)} can not send requests to ${nameOf(ref)}: it is not there`);
}

async function missing(cluster: Cluster, ref: ObjectRef): Promise<RouteFacts> {
  const nearby = (await namesOf(cluster, ref.kind, ref.namespace)).map((name) => `${ref.namespace}/${name}`);
  return {
    object: null,
    state: { weight: null, because: `there is no ${nameOf(ref)}` },
    ownedBy: null,
    holder: null,
    nearby,
  };
}

const factsOf = (ref: ObjectRef, found: FoundObject, state: RouteState): RouteFacts => ({
  object: { ...ref, uid: found.metadata?.uid ?? '' },
  state,
  ownedBy: ownerOf(found),
  holder: holderOf(found),
  nearby: [],
});
