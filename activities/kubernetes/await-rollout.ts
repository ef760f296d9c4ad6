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
export async function awaitRollout(cluster: Cluster, followed: Followed): Promise<RollStatus> {
  const { sliceMs } = followed;
  const until = Date.now() + sliceMs;
  const end = unheld(sliceMs);
  const beat = setInterval(() => {
    heartbeat();
  }, 1_000);
  try {
    for (;;) {
      const { status, changed } = await lookAt(cluster, followed);
      if (isOver(status) || Date.now() >= until) return status;
      await Promise.race([changed ?? unheld(againMs), end, cancelled()]);
    }
  } finally {
    clearInterval(beat);
  }
}

interface Looked {
  readonly status: RollStatus;
  /** Settles with what happens next; null: nobody tells. */
  readonly changed: Promise<unknown> | null;
}

async function lookAt(cluster: Cluster, { workload, pods, alone = false }: Followed): Promise<Looked> {
  const { kind, namespace, name } = workload;
  const ref = { kind, namespace, name };
  const { object, changed } = await lookObject<Workload>(cluster, ref);
  const watched = statusOf(ref, object, pods);
  if (!isOver(watched)) return { status: watched, changed };
  // what a watch tells may be of a moment ago, before the very write whose rollout this is
  const status = statusOf(ref, await readObject<Workload>(cluster, ref), pods);
  const ending = alone && status.done ? await endingPods(cluster, ref, object) : 0;
  if (ending === 0) return { status, changed };
  return { status: { ...status, done: false, because: `${ending} pods are still ending` }, changed: null };
}

function statusOf(ref: WorkloadRef, found: Workload | null, pods: number | undefined): RollStatus {
  if (found === null) throw failure('TARGET_DRIFTED', `${nameOf(ref)} is gone`);
  return rollStatus(ref.kind, found, pods);
}

/** Waits, and keeps no worker that is asked to end. */
const unheld = (ms: number): Promise<void> => sleep(ms, undefined, { ref: false });

const isOver = ({ done, stuck }: RollStatus): boolean => done || stuck;
