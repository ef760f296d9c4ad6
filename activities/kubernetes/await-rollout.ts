import { cancelled, heartbeat } from '@temporalio/activity';
import { setTimeout as sleep } from 'node:timers/promises';
import { Watch, type V1Deployment } from '@kubernetes/client-node';
import type { RollStatus, WorkloadRef } from '../../contracts/workload.ts';
import { failure } from '../failures.ts';
import type { Cluster } from './cluster.ts';
import { readObject } from './objects.ts';
import { rollStatus } from './roll-status.ts';

/** After a watch has broken it is begun anew, not at once, ms. */
const againMs = 1_000;

/** Watches a rollout until it is over, stands still for too long, or the slice of time is; it asks once and then listens. */
export async function awaitRollout(
  cluster: Cluster,
  { kind, namespace, name }: WorkloadRef,
  sliceMs: number,
): Promise<RollStatus> {
  const until = Date.now() + sliceMs;
  const beat = setInterval(() => {
    heartbeat();
  }, 1_000);
  try {
    for (;;) {
      const found = await readObject<V1Deployment>(cluster, { kind, namespace, name });
      if (found === null) throw failure('TARGET_DRIFTED', `deployment ${namespace}/${name} is gone`);
      const status = await follow(cluster, { kind, namespace, name }, found, until);
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
  { namespace, name }: WorkloadRef,
  found: V1Deployment,
  until: number,
): Promise<RollStatus> {
  let status = rollStatus(found);
  if (isOver(status)) return status;
  const resourceVersion = found.metadata?.resourceVersion;
  let stop = (): void => undefined;
  const ended = new Promise<void>((resolve) => (stop = resolve));
  const watch = new Watch(cluster.config).watch(
    `/apis/apps/v1/namespaces/${namespace}/deployments`,
    {
      fieldSelector: `metadata.name=${name}`,
      resourceVersion,
      timeoutSeconds: Math.ceil((until - Date.now()) / 1_000) + 1,
    },
    (phase, object: V1Deployment) => {
      // an error object, 410 among them, ends the watch; it is begun anew from a fresh look
      if (phase === 'MODIFIED' || phase === 'ADDED') status = rollStatus(object);
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
