import type { V1Container, V1Deployment } from '@kubernetes/client-node';
import type { ContainerFacts, WorkloadFacts } from '../../contracts/workload.ts';
import { holderOf } from './claim.ts';
import { asking, partOf, type Cluster } from './cluster.ts';
import { namesOf, readObject } from './objects.ts';
import { ownerOf } from './owner.ts';

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

/** Looks at a Deployment; touches nothing. */
export async function lookWorkload(cluster: Cluster, namespace: string, name: string): Promise<WorkloadFacts> {
  const ref = { kind: 'Deployment', namespace, name } as const;
  const found = await readObject<V1Deployment>(cluster, ref);
  if (found === null) return { ...ref, ...empty, nearby: await namesIn(cluster, namespace) };
  return {
    ...ref,
    ...seen(found),
    ownedBy: ownerOf(found),
    autoscalers: await autoscalersOf(cluster, namespace, name),
    nearby: [],
    holder: holderOf(found),
  };
}

function seen(found: V1Deployment) {
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
    rollout: rolloutOf(found),
  };
}

const uidOf = ({ metadata }: V1Deployment): string | null => metadata?.uid ?? null;
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

/** The API server fills in what nobody has said. */
function rolloutOf({ spec }: V1Deployment): WorkloadFacts['rollout'] {
  const { strategy, template, paused, progressDeadlineSeconds: deadlineSeconds } = partOf(spec);
  const { maxSurge: surge, maxUnavailable: unavailable } = partOf(strategy?.rollingUpdate);
  const graceSeconds = template?.spec?.terminationGracePeriodSeconds;
  return {
    ...usual,
    ...given({ strategy: strategy?.type, deadlineSeconds, surge, unavailable, graceSeconds, paused }),
  };
}

/** The fields that have a value. */
const given = <T extends object>(fields: T): { [K in keyof T]: NonNullable<T[K]> } =>
  // what has none is left out just now
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: NonNullable<T[K]>;
  };

async function autoscalersOf({ autoscaling, ...cluster }: Cluster, namespace: string, name: string): Promise<string[]> {
  const { items } = await asking(cluster, `autoscalers in ${namespace}`, () =>
    autoscaling.listNamespacedHorizontalPodAutoscaler({ namespace }),
  );
  return items
    .filter(({ spec }) => spec.scaleTargetRef.kind === 'Deployment' && spec.scaleTargetRef.name === name)
    .map(({ metadata }) => metadata?.name ?? '');
}

const namesIn = async (cluster: Cluster, namespace: string): Promise<readonly string[]> =>
  (await namesOf(cluster, 'Deployment', namespace)).map((name) => `${namespace}/${name}`);
