import { cancelled, heartbeat } from '@temporalio/activity';
import { setTimeout as sleep } from 'node:timers/promises';
import { Watch } from '@kubernetes/client-node';
import type { RollStatus, WorkloadRef } from '../../contracts/workload.ts';
import { failure } from '../failures.ts';
import type { Cluster } from './cluster.ts';
import { nameOf, readObject } from './objects.ts';
import { rollStatus, type Workload } from './roll-status.ts';

/** After a watch has broken it is begun anew, not at once, ms. */
const againMs = 1_000;

/** What is followed, for how long, and how many new pods are enough; absent: all. */
interface Followed {
  readonly workload: WorkloadRef;
  readonly sliceMs: number;
  readonly pods?: number;
}

/** The resource of each kind, in addresses. */
const resources: Readonly<Record<WorkloadRef['kind'], string>> = {
  Deployment: 'deployments',
  StatefulSet: 'statefulsets',
};

/** Watches a rollout until it is over, stands still for too long, or the slice of time is; it asks once and then listens. */
export async function awaitRollout(
  cluster: Cluster,
  { workload: { kind, namespace, name }, sliceMs, pods }: Followed,
): Promise<RollStatus> {
  const ref = { kind, namespace, name };
  const until = Date.now() + sliceMs;
  const beat = setInterval(() => {
    heartbeat();
  }, 1_000);
  try {
    for (;;) {
      const found = await readObject<Workload>(cluster, ref);
      if (found === null) throw failure('TARGET_DRIFTED', `${nameOf(ref)} is gone`);
      const status = await follow(cluster, ref, found, (seen) => rollStatus(kind, seen, pods), until);
      if (isOver(status) || Date.now() >= until) return status;
      await Promise.race([unheld(againMs), cancelled()]);
    }
  } finally {
    clearInterval(beat);
  }
}

/** Waits, and keeps no worker that is asked to end. */
const unheld = (ms: number): Promise<void> => sleep(ms, undefined, { ref: false });

const isOver = ({ done, stuck }: RollStatus): boolean => done || stuck;

/** The status when it is over, or when the watch or the time has ended. */
async function follow(
  cluster: Cluster,
  { kind, namespace, name }: WorkloadRef,
  found: Workload,
  read: (seen: Workload) => RollStatus,
  until: number,
): Promise<RollStatus> {
  let status = read(found);
  if (isOver(status)) return status;
  const resourceVersion = found.metadata?.resourceVersion;
  let stop = (): void => undefined;
  const ended = new Promise<void>((resolve) => (stop = resolve));
  const watch = new Watch(cluster.config).watch(
    `/apis/apps/v1/namespaces/${namespace}/${resources[kind]}`,
    {
      fieldSelector: `metadata.name=${name}`,
      resourceVersion,
      timeoutSeconds: Math.ceil((until - Date.now()) / 1_000) + 1,
    },
    (phase, object: Workload) => {
      // an error object, 410 among them, ends the watch; it is begun anew from a fresh look
      if (phase === 'MODIFIED' || phase === 'ADDED') status = read(object);
      if (isOver(status) || phase === 'ERROR' || phase === 'DELETED') stop();
    },
    () => {
      stop();
    },
  );
  try {
    await Promise.race([ended, unheld(Math.max(0, until - Date.now())), cancelled()]);
    return status;
  } finally {
    (await watch.catch(() => null))?.abort();
  }
}
