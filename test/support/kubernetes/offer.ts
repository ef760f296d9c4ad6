import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CustomResources } from '../../../tools/custom-resources/sources.ts';
import { certificates } from '../../../tools/kubernetes/flags.ts';
import { whyNoKubernetes } from '../../../tools/kubernetes/get.ts';
import type { ClusterAccess } from '../../../tools/kubernetes/kubeconfig.ts';
import { startKubernetes, type KubernetesOptions, type RunningKubernetes } from '../../../tools/kubernetes/server.ts';
import { lastWords, launch, type Launched } from '../../../tools/processes/launch.ts';
import { stopPid } from '../../../tools/processes/stop.ts';
import { getTraefik, whyNoTraefik } from '../../../tools/traefik/get.ts';
import { getTrino, whyNoTrino } from '../../../tools/trino/get.ts';
import { offer } from '../on-demand.ts';
import { applyCustomResources } from './custom-resources.ts';
import { openPodNetwork, type PodNetwork } from './pod-network.ts';

/** Offers one cluster for the whole run, with a node: started when a test asks for it, stopped by `stop`. */
export async function offerKubernetes(
  folder: string,
  say: (line: string) => void,
): Promise<{ address: string; stop: () => Promise<void> }> {
  const building = new AbortController();
  let network: Promise<PodNetwork | { readonly lacking: string }> | undefined;
  let cluster: Promise<Cluster> | undefined;
  const open = (): Promise<PodNetwork | { readonly lacking: string }> => (network ??= openPodNetwork());
  const start = async (): Promise<Cluster> => {
    const pods = await open();
    if ('lacking' in pods) throw new Error(pods.lacking);
    return startCluster(folder, pods.part, { say, signal: building.signal });
  };
  const whyNoPods = async (): Promise<string> => {
    const pods = await open();
    return 'lacking' in pods ? pods.lacking : '';
  };
  const look = async (): Promise<string> => {
    const why = (await whyNoKubernetes()) ?? (await whyNoPods());
    // Jest shows no names of suites that are skipped
    if (why !== '') say(`suites on Kubernetes are skipped: ${why}`);
    return why;
  };
  const running = (): Promise<Cluster> => (cluster ??= start());
  const resources = async (of: CustomResources): Promise<string> => {
    await applyCustomResources((await running()).admin, of);
    return '';
  };
  const offered: Readonly<Record<string, () => Promise<string>>> = {
    lacking: look,
    cluster: async () => (await running()).access,
    'gateway-api': () => resources('gateway-api'),
    istio: () => resources('istio'),
    'lacking-traefik': async () => (await whyNoTraefik()) ?? '',
    traefik: () => getTraefik(say, { signal: building.signal }),
    'lacking-trino': async () => (await whyNoTrino()) ?? '',
    trino: async () => JSON.stringify(await getTrino(say, { signal: building.signal })),
  };
  // each is done once, however many ask
  const given = new Map<string, Promise<string>>();
  const { address, close } = await offer((path) => {
    const answer = given.get(path) ?? offered[path]?.() ?? null;
    if (answer !== null) given.set(path, answer);
    return answer;
  });
  const stop = async (): Promise<void> => {
    close();
    building.abort();
    // one that did not start has told whoever asked for it
    const running = await cluster?.catch(() => undefined);
    await running?.stop();
    const pods = await network;
    if (pods !== undefined && 'close' in pods) await pods.close();
  };
  return { address, stop };
}

interface Cluster {
  /** JSON for the tests: url, ca, and the tokens of both users. */
  readonly access: string;
  readonly admin: ClusterAccess;
  readonly stop: () => Promise<void>;
}

async function startCluster(
  folder: string,
  part: number,
  building: Required<Pick<KubernetesOptions, 'say' | 'signal'>>,
): Promise<Cluster> {
  const recordIn = join(folder, 'processes');
  const control = await startKubernetes({ folder: join(folder, 'kubernetes'), recordIn, ...building });
  try {
    const agent = await startAgent(join(folder, 'kubernetes'), control, part, recordIn);
    const { url, ca, token, guestToken } = control;
    return {
      access: JSON.stringify({ url, ca, token, guestToken }),
      admin: { url, ca, token },
      stop: async () => {
        await stopPid(agent.pid);
        await control.stop();
      },
    };
  } catch (error) {
    await control.stop();
    throw error;
  }
}

async function startAgent(
  folder: string,
  control: RunningKubernetes,
  part: number,
  recordIn: string,
): Promise<Launched> {
  const kubeconfigFile = join(folder, 'node-agent.kubeconfig');
  await writeFile(kubeconfigFile, control.kubeconfig(), { mode: 0o600 });
  const agent = await launch({
    what: 'node agent',
    command: process.execPath,
    args: [
      '--disable-warning=ExperimentalWarning',
      fileURLToPath(new URL('node-agent.ts', import.meta.url)),
      // the API server asks no node who it is: its own certificate does
      ...[kubeconfigFile, 'node-1', String(part), join(certificates(folder), 'apiserver')],
    ],
    logFile: join(folder, 'node-agent.log'),
    recordIn,
    ipc: true,
  });
  const ready = once(agent, 'message').then(() => true);
  if (await Promise.race([ready, agent.ended.then(() => false)])) return agent;
  throw new Error(`the node agent did not start: ${await lastWords(agent)}`);
}
