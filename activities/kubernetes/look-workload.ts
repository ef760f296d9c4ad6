import type { V1Container, V1Deployment, V1StatefulSet } from '@kubernetes/client-node';
import type { ContainerFacts, WorkloadFacts, WorkloadRef } from '../../contracts/workload.ts';
import { lookAutoscalers } from './autoscaler.ts';
import { holderOf } from './claim.ts';
import { partOf, type Cluster } from './cluster.ts';
import { namesOf, readObject } from './objects.ts';
import { ownerOf } from './owner.ts';
import type { Workload } from './roll-status.ts';

const usual = {
  strategy: 'RollingUpdate',
  surge: null,
  unavailable: null,
  graceSeconds: 30,
  deadlineSeconds: 600,
  paused: false,
};
const empty = {
  rollout: usual,
  containers: [],
  selector: {},
  podLabels: {},
  autoscalers: [],
  ownedBy: null,
  holder: null,
  replicas: 0,
  ready: 0,
  uid: null,
};

/** Looks at a workload; touches nothing. */
export async function lookWorkload(cluster: Cluster, ref: WorkloadRef): Promise<WorkloadFacts> {
  const found = await readObject<Workload>(cluster, ref);
  if (found === null) return { ...ref, ...empty, nearby: await namesIn(cluster, ref) };
  const scalers = await lookAutoscalers(cluster, ref);
  return {
    ...ref,
    ...seen(ref, found),
    ownedBy: ownerOf(found),
    autoscalers: scalers.map(({ name }) => name),
    scalers,
    nearby: [],
    holder: holderOf(found),
  };
}

function seen({ kind }: WorkloadRef, found: Workload) {
  const { replicas = 1, template, selector } = partOf(found.spec);
  const { containers = [] } = partOf(template?.spec);
  const { readyReplicas: ready = 0 } = partOf(found.status);
  return {
    uid: uidOf(found),
    replicas,
    ready,
    containers: containers.map(containerOf),
    selector: labelsOf(selector?.matchLabels),
    podLabels: labelsOf(template?.metadata?.labels),
    rollout: rollouts[kind](found),
  };
}

const uidOf = ({ metadata }: Workload): string | null => metadata?.uid ?? null;
const labelsOf = (labels: Readonly<Record<string, string>> | undefined) => labels ?? {};

function containerOf({ name, image = '', lifecycle, readinessProbe }: V1Container): ContainerFacts {
  const preStop = lifecycle?.preStop;
  const drainSeconds = preStop?.sleep?.seconds ?? null;
  return {
    name,
    image,
    drainSeconds,
    otherPreStop: preStop !== undefined && drainSeconds === null,
    hasReadiness: readinessProbe !== undefined,
  };
}

const rollouts: Readonly<Record<WorkloadRef['kind'], (found: Workload) => WorkloadFacts['rollout']>> = {
  Deployment: rolloutOf,
  // the API server answers with the kind that it was asked for
  StatefulSet: (found) => rolloutOfSet(found as V1StatefulSet),
};

/** The API server fills in what nobody has said. */
function rolloutOf({ spec }: V1Deployment): WorkloadFacts['rollout'] {
  const { strategy, template, paused, progressDeadlineSeconds: deadlineSeconds } = partOf(spec);
  const { maxSurge: surge, maxUnavailable: unavailable } = partOf(strategy?.rollingUpdate);
  const graceSeconds = template?.spec?.terminationGracePeriodSeconds;
  return {
    ...usual,
    minReadySeconds: spec?.minReadySeconds ?? 0,
    ...given({ strategy: strategy?.type, deadlineSeconds, surge, unavailable, graceSeconds, paused }),
  };
}

/** It has no deadline of its own, and no surge. */
function rolloutOfSet({ spec }: V1StatefulSet): WorkloadFacts['rollout'] {
  const { updateStrategy, template } = partOf(spec);
  const { partition = 0, maxUnavailable: unavailable } = partOf(updateStrategy?.rollingUpdate);
  const graceSeconds = template?.spec?.terminationGracePeriodSeconds;
  return { ...usual, partition, ...given({ strategy: updateStrategy?.type, unavailable, graceSeconds }) };
}

/** The fields that have a value. */
const given = <T extends object>(fields: T): { [K in keyof T]: NonNullable<T[K]> } =>
  // what has none is left out just now
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: NonNullable<T[K]>;
  };

const namesIn = async (cluster: Cluster, { kind, namespace }: WorkloadRef): Promise<readonly string[]> =>
  (await namesOf(cluster, kind, namespace)).map((name) => `${namespace}/${name}`);
