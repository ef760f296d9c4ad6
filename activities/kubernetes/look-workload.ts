import type { V1Container, V1Deployment } from '@kubernetes/client-node';
import type { ContainerFacts, WorkloadFacts } from '../../contracts/workload.ts';
import { holderOf } from './claim.ts';
import { asking, partOf, readDeployment, type Cluster } from './cluster.ts';

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
  const found = await readDeployment(cluster, namespace, name);
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
  const { replicas = 1, template } = partOf(found.spec);
  const { containers = [] } = partOf(template?.spec);
  const { readyReplicas: ready = 0 } = partOf(found.status);
  const uid = found.metadata?.uid ?? null;
  return { uid, replicas, ready, containers: containers.map(containerOf), rollout: rolloutOf(found) };
}

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

/** Where Argo CD and Flux write that an object is theirs. */
const marks = [
  ['annotations', 'argocd.argoproj.io/tracking-id', 'Argo CD'],
  ['labels', 'argocd.argoproj.io/instance', 'Argo CD'],
  ['labels', 'kustomize.toolkit.fluxcd.io/name', 'Flux'],
  ['labels', 'helm.toolkit.fluxcd.io/name', 'Flux'],
] as const;

function ownerOf({ metadata }: V1Deployment): string | null {
  for (const [where, key, who] of marks) {
    const value = metadata?.[where]?.[key];
    if (value !== undefined) return `${who} (${value.split(':')[0] ?? ''})`;
  }
  return null;
}

async function autoscalersOf({ autoscaling, ...cluster }: Cluster, namespace: string, name: string): Promise<string[]> {
  const { items } = await asking(cluster, `autoscalers in ${namespace}`, () =>
    autoscaling.listNamespacedHorizontalPodAutoscaler({ namespace }),
  );
  return items
    .filter(({ spec }) => spec.scaleTargetRef.kind === 'Deployment' && spec.scaleTargetRef.name === name)
    .map(({ metadata }) => metadata?.name ?? '');
}

const namesIn = async (cluster: Cluster, namespace: string): Promise<readonly string[]> => {
  const { items } = await asking(cluster, `deployments in ${namespace}`, () =>
    cluster.apps.listNamespacedDeployment({ namespace, limit: 100 }),
  );
  return items.map(({ metadata }) => `${namespace}/${metadata?.name ?? ''}`);
};
