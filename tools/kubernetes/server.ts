import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { answers, freePort } from '../ports.ts';
import { lastWords, launch, type Launched } from '../processes/launch.ts';
import { stopPid, type Escalation } from '../processes/stop.ts';
import { ToolFailure } from '../tool-failure.ts';
import { guestUser, makeCredentials, type Credentials } from './credentials.ts';
import { apiServerFlags, certificates, controllerFlags, etcdFlags, type Ports } from './flags.ts';
import { getKubernetes, type KubernetesBinaries } from './get.ts';
import { kubeconfig, type ClusterAccess } from './kubeconfig.ts';
import { look } from './look.ts';

/** Where a control plane keeps its things and how it runs. */
export interface KubernetesOptions {
  /** Gets the data, the keys and the logs; made when it is not there. Nobody but us can read it. */
  readonly folder: string;
  readonly ownGroup?: boolean;
  /** See `launch`. */
  readonly recordIn?: string;
  /** Told what it does when the programs have to be built first. */
  readonly say?: (line: string) => void;
  /** Gives up building. */
  readonly signal?: AbortSignal;
}

/** A control plane that runs and belongs to us: API server, controllers, etcd; no scheduler and no node. The token is an admin's. */
export interface RunningKubernetes extends ClusterAccess {
  /** Token of the user `lakeshift`, who may do nothing until a role is bound to it. */
  readonly guestToken: string;
  /** Text of a kubeconfig, token included. Default: the admin's. */
  readonly kubeconfig: (who?: 'admin' | 'lakeshift') => string;
  /** Settles when any part has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Orderly: nobody loses what it depends on before it has ended itself. */
  readonly stop: () => Promise<void>;
}

/** Starts one part; `ready` is asked until it says so. */
type StartPart = (part: {
  /** The records of a run are swept in the order of these names: the API server has to end before etcd. */
  readonly what: 'API server' | 'controller manager' | 'etcd';
  readonly command: string;
  readonly args: readonly string[];
  readonly ready: () => Promise<boolean>;
}) => Promise<void>;

const startWithinMs = 120_000;

/** An API server waits a minute for watches that are open; what was written is in etcd, so there is nothing to wait for. */
const briefly: Escalation = [
  { signal: 'SIGTERM', waitMs: 3_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
];

/** Starts a control plane on loopback, with RBAC. Fails with one line that says why. */
export async function startKubernetes(options: KubernetesOptions): Promise<RunningKubernetes> {
  const { folder, say = () => undefined, signal } = options;
  const binaries = await getKubernetes(say, signal === undefined ? {} : { signal });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const credentials = await makeCredentials(join(folder, 'credentials'));
  const started: Launched[] = [];
  const stop = async (): Promise<void> => {
    for (const child of started.toReversed()) await stopPid(child.pid, briefly);
  };
  const start: StartPart = async ({ what, command, args, ready }) => {
    const logFile = join(folder, `${what.replace(' ', '-').toLowerCase()}.log`);
    const { ownGroup = false, recordIn } = options;
    const child = await launch({
      what,
      command,
      args,
      logFile,
      ownGroup,
      recordIn,
      cwd: folder,
      escalation: briefly,
    });
    started.push(child);
    await untilReady(child, what, ready, logFile);
  };
  try {
    const access = await startParts(folder, binaries, credentials, start);
    return {
      ...access,
      guestToken: credentials.tokens.guest,
      kubeconfig: (who = 'admin') => kubeconfig({ ...access, token: tokenOf(who, credentials) }, who),
      ended: Promise.race(started.map((child) => child.ended)),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const tokenOf = (who: 'admin' | 'lakeshift', { tokens }: Credentials): string =>
  who === guestUser ? tokens.guest : tokens.admin;

async function startParts(
  folder: string,
  binaries: KubernetesBinaries,
  credentials: Credentials,
  start: StartPart,
): Promise<ClusterAccess> {
  const ports = await freePorts();
  await start({
    what: 'etcd',
    command: binaries.etcd,
    args: etcdFlags(folder, ports),
    ready: () => answers(ports.etcd),
  });
  const certificate = join(certificates(folder), 'apiserver.crt');
  // one of an earlier start would be taken for the one that is about to be made
  await rm(certificates(folder), { recursive: true, force: true });
  const access = async (token: string): Promise<ClusterAccess> => ({
    url: `https://127.0.0.1:${ports.apiServer}`,
    ca: await readFile(certificate, 'utf8').catch(() => ''),
    token,
  });
  const says200 = async (path: string): Promise<boolean> =>
    // half a certificate can't be read yet
    (await look(await access(credentials.tokens.admin), path).catch(() => null)) === 200;
  await start({
    what: 'API server',
    command: binaries.apiServer,
    args: apiServerFlags(folder, ports, credentials),
    ready: () => says200('/readyz'),
  });
  const kubeconfigFile = join(folder, 'credentials', 'controllers.kubeconfig');
  await writeFile(kubeconfigFile, kubeconfig(await access(credentials.tokens.controllers)), { mode: 0o600 });
  await start({
    what: 'controller manager',
    command: binaries.controllerManager,
    args: controllerFlags(folder, ports, credentials, kubeconfigFile),
    // its port opens long before its controllers run; this is the work of one of them
    ready: () => says200('/api/v1/namespaces/default/serviceaccounts/default'),
  });
  return access(credentials.tokens.admin);
}

async function freePorts(): Promise<Ports> {
  const [etcd, etcdPeers, apiServer, controllers] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  return { etcd, etcdPeers, apiServer, controllers };
}

async function untilReady(
  child: Launched,
  what: string,
  ready: () => Promise<boolean>,
  logFile: string,
): Promise<void> {
  const until = Date.now() + startWithinMs;
  while (Date.now() < until) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new ToolFailure(`the ${what} of Kubernetes did not start: ${await lastWords(child)} (log: ${logFile})`);
    }
    if (await ready()) return;
    await sleep(50);
  }
  throw new ToolFailure(`the ${what} of Kubernetes was not ready within ${startWithinMs / 1000} s (log: ${logFile})`);
}
