import type { V1Pod } from '@kubernetes/client-node';

/** What the containers of a pod are doing. Times are ISO 8601. */
export type ContainerLife =
  | { readonly kind: 'waiting'; readonly reason: string; readonly message: string }
  | { readonly kind: 'running'; readonly since: string };

/** What a node knows about one of its pods. */
export interface PodFacts {
  readonly life: ContainerLife;
  readonly ready: boolean;
  /** When `ready` became what it is. */
  readonly readyChanged: string;
  /** When the node took the pod. */
  readonly taken: string;
  readonly restarts: number;
  /** When the containers ended last; null: never. */
  readonly died: string | null;
  readonly podAddress: string;
  readonly nodeAddress: string;
}

/** The status that a kubelet would report, as a strategic merge patch of the pod; only for that very pod, not for one of the same name. */
export function statusPatch(pod: V1Pod, facts: PodFacts): object {
  const running = facts.life.kind === 'running';
  const address = running || facts.died !== null ? facts.podAddress : undefined;
  return {
    metadata: { uid: pod.metadata?.uid },
    status: {
      phase: running || facts.died !== null ? 'Running' : 'Pending',
      startTime: facts.taken,
      hostIP: facts.nodeAddress,
      hostIPs: [{ ip: facts.nodeAddress }],
      ...(address === undefined ? {} : { podIP: address, podIPs: [{ ip: address }] }),
      conditions: conditions(facts),
      containerStatuses: (pod.spec?.containers ?? []).map(({ name, image }) => containerStatus(name, image, facts)),
    },
  };
}

function conditions({ ready, readyChanged, taken }: PodFacts): object[] {
  const because = ready ? { reason: null, message: null } : notReady;
  return [
    { type: 'Initialized', status: 'True', lastTransitionTime: taken },
    ...['ContainersReady', 'Ready'].map((type) => ({
      type,
      status: ready ? 'True' : 'False',
      lastTransitionTime: readyChanged,
      ...because,
    })),
  ];
}

const notReady = { reason: 'ContainersNotReady', message: 'containers with unready status' };

function containerStatus(name: string, image: string | undefined, facts: PodFacts): object {
  const { life, died } = facts;
  const running = life.kind === 'running';
  return {
    name,
    image,
    imageID: running ? `test://${image ?? ''}` : '',
    ready: facts.ready,
    started: running,
    restartCount: facts.restarts,
    state: running
      ? { running: { startedAt: life.since } }
      : { waiting: { reason: life.reason, message: life.message } },
    lastState: died === null ? {} : { terminated: { exitCode: 1, reason: 'Error', finishedAt: died } },
  };
}
