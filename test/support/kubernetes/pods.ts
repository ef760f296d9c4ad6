import {
  ApiException,
  CoreV1Api,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type KubeConfig,
  type V1Pod,
} from '@kubernetes/client-node';
import { RunningPod, type Node } from './running-pod.ts';

/** The node whose pods these are. */
export interface Host {
  readonly name: string;
  readonly address: string;
  /** Address of the n-th pod. */
  readonly podAddress: (n: number) => string;
}

const strategic = setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch);

/** Takes every pod that nobody has scheduled, and runs those of this node. Ready when it has seen what is there. */
export async function runPods(config: KubeConfig, host: Host): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  const running = new Map<string, RunningPod>();
  const taken = new Set<string>();
  let given = 0;
  const node = nodeOf(core, host.address);

  const see = (pod: V1Pod): void => {
    const uid = pod.metadata?.uid ?? '';
    const deleted = pod.metadata?.deletionTimestamp !== undefined;
    if (pod.spec?.nodeName === undefined) {
      if (!deleted && !taken.has(uid)) bind(pod, uid);
      return;
    }
    if (pod.spec.nodeName !== host.name) return;
    const known = running.get(uid) ?? (deleted ? null : start(pod, uid));
    if (deleted)
      pass(known === null ? node.remove(pod) : known.end(1000 * (pod.metadata?.deletionGracePeriodSeconds ?? 0)));
  };
  const bind = (pod: V1Pod, uid: string): void => {
    taken.add(uid);
    pass(bindTo(core, pod, host.name));
  };
  const start = (pod: V1Pod, uid: string): RunningPod => {
    const started = new RunningPod(pod, host.podAddress(given), node);
    given += 1;
    running.set(uid, started);
    pass(started.live());
    return started;
  };
  const forget = (pod: V1Pod): void => {
    const uid = pod.metadata?.uid ?? '';
    taken.delete(uid);
    running.get(uid)?.vanish();
    running.delete(uid);
  };

  const pods = makeInformer(config, '/api/v1/pods', () => core.listPodForAllNamespaces());
  pods.on('add', see);
  pods.on('update', see);
  pods.on('delete', forget);
  pods.on('error', (error: unknown) => {
    say(error);
    setTimeout(() => void pods.start(), 200);
  });
  await pods.start();
}

const nodeOf = (core: CoreV1Api, address: string): Node => ({
  address,
  report: async (pod, body) => {
    await untilTold(() => core.patchNamespacedPodStatus({ ...nameOf(pod), body }, strategic));
  },
  remove: async (pod) => {
    const uid = pod.metadata?.uid;
    const body = { gracePeriodSeconds: 0, ...(uid === undefined ? {} : { preconditions: { uid } }) };
    await untilTold(() => core.deleteNamespacedPod({ ...nameOf(pod), body }));
  },
});

async function bindTo(core: CoreV1Api, pod: V1Pod, node: string): Promise<void> {
  const { name, namespace } = nameOf(pod);
  const body = { metadata: { name }, target: { apiVersion: 'v1', kind: 'Node', name: node } };
  await untilTold(() => core.createNamespacedPodBinding({ name, namespace, body }));
}

const nameOf = ({ metadata }: V1Pod): { name: string; namespace: string } => ({
  name: metadata?.name ?? '',
  namespace: metadata?.namespace ?? '',
});

/** A pod that is gone, or another one by now, need not be told; a server that does not answer is asked again. */
async function untilTold(tell: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await tell();
      return;
    } catch (error) {
      if (error instanceof ApiException && [404, 409].includes(error.code)) return;
      if (tries === 20) throw error;
      say(error);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

const pass = (work: Promise<void>): void => void work.catch(say);

/** Into the agent's log: one pod's trouble is not the others'. */
const say = (error: unknown): void =>
  void process.stderr.write(`${error instanceof Error ? (error.stack ?? '') : String(error)}\n`);
