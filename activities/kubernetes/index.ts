import { statSync } from 'node:fs';
import type { Activities, Site } from '../../contracts/activities.ts';
import type { HeldObject, ObjectRef } from '../../contracts/workload.ts';
import { awaitRollout } from './await-rollout.ts';
import { scaleWorkload, standUp, takeDown } from './candidate.ts';
import { setScaling } from './autoscaler.ts';
import { claimObjects, raiseFences, releaseObjects } from './claim.ts';
import { openCluster, type Cluster, type ClusterConnection } from './cluster.ts';
import { removeBroken } from './remove-broken.ts';
import { applyWorkload, holdRollout } from './roll.ts';

/** What the activities on clusters are given. `cluster` throws TARGET_UNKNOWN for a name that is not in the configuration. */
export interface ClusterDependencies {
  readonly cluster: (name: string) => ClusterConnection;
  /** Aborted at the end of the worker: then nothing is watched any more. */
  readonly closing: AbortSignal;
}

type Named =
  | 'applyWorkload'
  | 'awaitRollout'
  | 'holdRollout'
  | 'removeBroken'
  | 'setScaling'
  | 'standUp'
  | 'takeDown'
  | 'scaleWorkload';

/** The activities of this folder; claim, release and fence are those of the plan's own kind of target. */
export type ClusterActivities = Pick<Activities, Named> & {
  readonly claimObjects: (site: Site, objects: readonly HeldObject[]) => ReturnType<Activities['claim']>;
  readonly releaseObjects: (site: Site, objects: readonly ObjectRef[]) => Promise<void>;
  readonly raiseFences: (site: Site, objects: readonly ObjectRef[]) => Promise<void>;
};

/** Finds a cluster by its name; it is opened once, and anew when its kubeconfig is another one. */
export function createClusters({ cluster, closing }: ClusterDependencies): (name: string) => Cluster {
  const open = new Map<string, Cluster>();
  const close = (): void => {
    for (const { watches } of open.values()) for (const watch of watches.values()) watch.close();
  };
  closing.addEventListener('abort', close, { once: true });
  return (name) => {
    const connection = cluster(name);
    const { kubeconfig } = connection;
    const version = kubeconfig === null ? 0 : (statSync(kubeconfig, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    const key = JSON.stringify([connection, version]);
    const known = open.get(key) ?? openCluster(connection);
    open.set(key, known);
    return known;
  };
}

/** Everything that is done to a cluster, but for its traffic. */
export function createClusterActivities(at: (name: string) => Cluster): ClusterActivities {
  return {
    applyWorkload: ({ site, workload, apply }) => applyWorkload(at(site.target), site, workload, apply),
    awaitRollout: ({ target, ...input }) => awaitRollout(at(target), input),
    removeBroken: ({ site, workload }) => removeBroken(at(site.target), site, workload),
    holdRollout: ({ site, workload, paused }) => holdRollout(at(site.target), site, workload, paused),
    setScaling: ({ site, autoscaler, held }) => setScaling(at(site.target), site, autoscaler, held),
    standUp: ({ site, candidate }) => standUp(at(site.target), site, candidate),
    takeDown: ({ site, candidate }) => takeDown(at(site.target), site, candidate),
    scaleWorkload: ({ site, workload, replicas }) => scaleWorkload(at(site.target), site, workload, replicas),
    claimObjects: (site, objects) => claimObjects(at(site.target), site, objects),
    releaseObjects: (site, objects) => releaseObjects(at(site.target), site, objects),
    raiseFences: (site, objects) => raiseFences(at(site.target), site, objects),
  };
}
