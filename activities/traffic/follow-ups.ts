import { isDeepStrictEqual } from 'node:util';
import type { FollowUpFacts, KeepFollowUpsInput, Site } from '../../contracts/activities.ts';
import type { FollowUps } from '../../contracts/running.ts';
import type { ObjectRef } from '../../contracts/workload.ts';
import { failure } from '../failures.ts';
import { held, marked } from '../kubernetes/claim.ts';
import type { Cluster } from '../kubernetes/cluster.ts';
import { merge, type FoundObject } from '../kubernetes/objects.ts';
import { coordinatorIdOf } from '../trino/coordinator-id.ts';
import { withFollowUps, withoutFollowUps, type FollowUpRule } from './follow-up-rules.ts';

interface HttpRoute extends FoundObject {
  readonly spec?: { readonly rules?: readonly FollowUpRule[] };
}

/** Has follow-up requests of each side's queries go to that side. That a coordinator has another id since it restarted is noticed. */
export async function keepFollowUps(
  cluster: Cluster,
  { site, followUps, all }: KeepFollowUpsInput,
): Promise<FollowUpFacts> {
  const asked = await Promise.all(
    followUps.sides.map(async (side) => ({ side, id: await coordinatorIdOf(side.coordinator) })),
  );
  const silent = asked.filter(({ id }) => id === null).map(({ side }) => side.coordinator.name);
  if (all && silent.length > 0)
    throw failure('TARGET_UNREACHABLE', `Trino of ${silent.join(' and ')} does not say who it is`);
  const known = new Map(asked.flatMap(({ side, id }) => (id === null ? [] : [[side.service, id] as const])));
  await change(cluster, site, followUps, (rules) => withFollowUps(rules, followUps, known));
  return { silent };
}

/** Leaves the route as if nobody had ever told follow-up requests apart. */
export const dropFollowUps = (cluster: Cluster, site: Site, followUps: FollowUps): Promise<void> =>
  change(cluster, site, followUps, (rules) => withoutFollowUps(rules, followUps.sides));

const refOf = ({ route: { namespace, name } }: FollowUps): ObjectRef => ({ kind: 'HTTPRoute', namespace, name });

const change = (
  cluster: Cluster,
  site: Site,
  followUps: FollowUps,
  changed: (rules: readonly FollowUpRule[]) => readonly FollowUpRule[],
): Promise<void> =>
  held(cluster, site, refOf(followUps), async (found: HttpRoute) => {
    const before = found.spec?.rules ?? [];
    const rules = changed(before);
    if (isDeepStrictEqual(rules, before)) return;
    await merge(cluster, refOf(followUps), found, { ...marked(site), spec: { ...found.spec, rules } });
  });
