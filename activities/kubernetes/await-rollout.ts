import { cancelled, heartbeat } from '@temporalio/activity';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RollStatus, WorkloadRef } from '../../contracts/workload.ts';
import { failure } from '../failures.ts';
import type { Cluster } from './cluster.ts';
import { endingPods } from './ending-pods.ts';
import { lookObject } from './look-object.ts';
import { nameOf, readObject } from './objects.ts';
import { rollStatus, type Workload } from './roll-status.ts';

/** When nobody watches, it is looked at anew, not at once, ms. */
const againMs = 1_000;

/** What is followed, for how long, how many new pods are enough (absent: all), and whether pods that end count. */
interface Followed {
  readonly workload: WorkloadRef;
  readonly sliceMs: number;
  readonly pods?: number;
  readonly alone?: boolean;
}

/** Watches a rollout until it is over, stands still for too long, or the slice of time is. */
export async function awaitRollout(
  cluster: Cluster,
  { workload: { kind, namespace, name }, sliceMs, pods, alone = false }: Followed,
): Promise<RollStatus> {
  const ref = { kind, namespace, name };
  const until = Date.now() + sliceMs;
  const end = unheld(sliceMs);
  const statusOf = (found: Workload | null): RollStatus => {
    if (found === null) throw failure('TARGET_DRIFTED', `${nameOf(ref)} is gone`);
    return rollStatus(kind, found, pods);
  };
  const beat = setInterval(() => {
    heartbeat();
  }, 1_000);
  try {
    for (;;) {
      const { object, changed } = await lookObject<Workload>(cluster, ref);
      let status = statusOf(object);
      // what a watch tells may be of a moment ago, before the very write whose rollout this is
      if (isOver(status)) status = statusOf(await readObject<Workload>(cluster, ref));
      const ending = alone && status.done ? await endingPods(cluster, ref, object) : 0;
      if (ending > 0) status = { ...status, done: false, because: `${ending} pods are still ending` };
      if (isOver(status) || Date.now() >= until) return status;
      // nobody tells of pods that end
      await Promise.race([ending > 0 || changed === null ? unheld(againMs) : changed, end, cancelled()]);
    }
  } finally {
    clearInterval(beat);
  }
}

/** Waits, and keeps no worker that is asked to end. */
const unheld = (ms: number): Promise<void> => sleep(ms, undefined, { ref: false });

const isOver = ({ done, stuck }: RollStatus): boolean => done || stuck;
