import type { V1Container, V1Deployment, V1EnvVar, V1PodSpec, V1Service } from '@kubernetes/client-node';
import type { Site } from '../../contracts/activities.ts';
import type { JsonObject } from '../../contracts/json.ts';
import type { Candidate, EnvSource, ObjectRef, WorkloadRef } from '../../contracts/workload.ts';
import { failure } from '../failures.ts';
import { checkHeld, held, holderOf, marked } from './claim.ts';
import { partOf, type Cluster } from './cluster.ts';
import { applyObject, deleteObject, merge, nameOf, readObject } from './objects.ts';

/**
 * Brings a candidate up as a copy of the stable side as it is now: what is in its template, secrets among it, is seen
 * by nobody but the cluster. Again: it is as it was. An object of that name which is not ours is left alone.
 */
export async function standUp(cluster: Cluster, site: Site, candidate: Candidate): Promise<void> {
  await held(cluster, site, candidate.of, async (stable: V1Deployment) => {
    checkVariables(stable, candidate);
    await applyOwn(cluster, site, deploymentOf(candidate), deploymentBody(stable, candidate));
    if (candidate.service !== null) await copyService(cluster, site, candidate, candidate.service);
  });
  // an undo that came in between has raised the fence of the stable side, and found nothing to remove
  await stillHeld(cluster, site, candidate);
}

/** Removes a candidate and its Service. Again: they are gone. */
export async function takeDown(cluster: Cluster, site: Site, candidate: Candidate): Promise<void> {
  for (const ref of [deploymentOf(candidate), ...serviceOf(candidate)]) {
    const found = await readObject(cluster, ref);
    if (found === null || holderOf(found) !== site.deployment) continue;
    checkHeld(site, ref, found);
    await deleteObject(cluster, ref, found.metadata?.uid);
  }
}

/** Has a workload that we hold run so many pods. */
export const scaleWorkload = (cluster: Cluster, site: Site, workload: WorkloadRef, replicas: number): Promise<void> =>
  held(cluster, site, workload, async (found: V1Deployment) => {
    if (found.spec?.replicas !== replicas)
      await merge(cluster, workload, found, { ...marked(site), spec: { replicas } });
  });

async function stillHeld(cluster: Cluster, site: Site, candidate: Candidate): Promise<void> {
  try {
    await held(cluster, site, candidate.of, () => Promise.resolve());
  } catch (error) {
    await takeDown(cluster, site, candidate);
    throw error;
  }
}

const deploymentOf = ({ of: { namespace }, name }: Candidate): WorkloadRef => ({ kind: 'Deployment', namespace, name });

const serviceOf = ({ of: { namespace }, service }: Candidate): ObjectRef[] =>
  service === null ? [] : [{ kind: 'Service', namespace, name: service.name }];

async function applyOwn(cluster: Cluster, site: Site, ref: ObjectRef, spec: JsonObject): Promise<void> {
  const found = await readObject(cluster, ref);
  if (found !== null && holderOf(found) !== site.deployment)
    throw failure('CLUSTER_REFUSED', `${nameOf(ref)} is there already, and is not ours`);
  if (found !== null) checkHeld(site, ref, found);
  const { resourceVersion } = partOf(found?.metadata);
  const version = resourceVersion === undefined ? {} : { resourceVersion };
  await applyObject(cluster, ref, { spec, metadata: { ...marked(site).metadata, ...version } });
}

async function copyService(
  cluster: Cluster,
  site: Site,
  { of: { namespace }, labels }: Candidate,
  { of, name }: { readonly of: string; readonly name: string },
): Promise<void> {
  const from: ObjectRef = { kind: 'Service', namespace, name: of };
  const stable = await readObject<V1Service>(cluster, from);
  if (stable === null) throw failure('TARGET_DRIFTED', `${nameOf(from)} is gone`);
  const { ports = [], selector = {}, clusterIP } = partOf(stable.spec);
  await applyOwn(
    cluster,
    site,
    { kind: 'Service', namespace, name },
    {
      selector: { ...selector, ...labels },
      ports: ports.map(({ name: port, port: number, targetPort, protocol, appProtocol }) =>
        given({ name: port, port: number, targetPort, protocol, appProtocol }),
      ),
      ...(clusterIP === 'None' ? { clusterIP } : {}),
    },
  );
}

function deploymentBody(stable: V1Deployment, candidate: Candidate): JsonObject {
  const { template, selector, minReadySeconds } = partOf(stable.spec);
  const { containers = [], ...pod } = partOf(template?.spec);
  const labels = { ...template?.metadata?.labels, ...candidate.labels };
  // the client has read it as JSON, and writes it as JSON again
  return given({
    replicas: candidate.replicas,
    minReadySeconds,
    progressDeadlineSeconds: candidate.deadlineSeconds,
    selector: { matchLabels: { ...selector?.matchLabels, ...candidate.labels } },
    template: {
      metadata: given({ labels, annotations: template?.metadata?.annotations }),
      spec: {
        ...pod,
        ...begun(pod, candidate),
        containers: containers.map((container) => changed(container, candidate)),
      },
    },
  }) as unknown as JsonObject;
}

/** What runs before the containers writes elsewhere too. */
const begun = ({ initContainers }: Partial<V1PodSpec>, { env }: Candidate): Pick<V1PodSpec, 'initContainers'> =>
  env === undefined || initContainers === undefined
    ? {}
    : {
        initContainers: initContainers.map((container) =>
          Object.assign({}, container, { env: withVariables(container, env) }),
        ),
      };

/** Routers hear of a pod that goes only after it was told: until then it serves. */
function changed(container: V1Container, { images, drainSeconds, env }: Candidate): V1Container {
  const { name, image, lifecycle } = container;
  const drains = drainSeconds > 0 && lifecycle?.preStop === undefined;
  const preStop = drains ? { sleep: { seconds: drainSeconds } } : lifecycle?.preStop;
  // plain data: the client makes no use of its classes
  return Object.assign({}, container, given({ image: images[name] ?? image }), {
    ...(env === undefined ? {} : { env: withVariables(container, env) }),
    lifecycle: Object.assign({}, lifecycle, given({ preStop })),
  });
}

/** In their places, for others may be made of them; what may come of an object whose keys nobody has listed here is first. */
function withVariables({ env = [], envFrom = [] }: V1Container, wanted: NonNullable<Candidate['env']>): V1EnvVar[] {
  const ours = new Map(Object.entries(wanted));
  const names = new Set(env.map(({ name }) => name));
  const further = envFrom.length === 0 ? [] : [...ours].filter(([name]) => !names.has(name));
  return [
    ...further.map(([name, source]) => ({ name, ...variableOf(source) })),
    ...env.map((variable) => {
      const source = ours.get(variable.name);
      return source === undefined ? variable : { name: variable.name, ...variableOf(source) };
    }),
  ];
}

const variableOf = (source: EnvSource): Omit<V1EnvVar, 'name'> => {
  if ('value' in source) return { value: source.value };
  const { key } = source;
  return 'secret' in source
    ? { valueFrom: { secretKeyRef: { name: source.secret, key } } }
    : { valueFrom: { configMapKeyRef: { name: source.configMap, key } } };
};

/** A variable that nobody reads would leave the candidate writing where the stable side does. */
function checkVariables(stable: V1Deployment, { env = {} }: Candidate): void {
  const { containers = [], initContainers = [] } = partOf(stable.spec?.template.spec);
  const all = [...initContainers, ...containers];
  if (all.some(({ envFrom = [] }) => envFrom.length > 0)) return;
  const known = all.flatMap((container) => (container.env ?? []).map(({ name }) => name));
  const unknown = Object.keys(env).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw failure('CLUSTER_REFUSED', `no container has a variable ${unknown} that could be another one`);
}

/** The fields that have a value. */
const given = <T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  // what has none is left out just now
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
