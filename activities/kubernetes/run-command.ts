import { Writable } from 'node:stream';
import { Exec, type V1Pod, type V1Status } from '@kubernetes/client-node';
import type { ExecRef, Probe } from '../../contracts/gate.ts';
import { failure } from '../failures.ts';
import { partOf, type Cluster } from './cluster.ts';
import { listObjects, readObject, type FoundObject } from './objects.ts';

type Command = Omit<Extract<Probe, { readonly by: 'exec' }>, 'by' | 'target'>;

/**
 * Runs a command in a pod, through the API server, as `kubectl exec` does; what is wrong, in words without any of the
 * command's own, or null when it ends with 0.
 */
export async function runCommand(cluster: Cluster, command: Command): Promise<string | null> {
  const { of } = command;
  const pod = of.kind === 'Pod' ? of.name : await podOf(cluster, of);
  return pod === null ? `no pod of ${of.kind} ${of.namespace}/${of.name} is ready` : run(cluster, pod, command);
}

/** What is used of the library's WebSocket: the package it takes it from has no types of its own. */
interface Socket {
  onclose: () => void;
  onerror: () => void;
  readonly close: () => void;
}

function run(cluster: Cluster, pod: string, { of, container, command, timeoutMs }: Command): Promise<string | null> {
  const late = `it has not ended in ${timeoutMs} ms`;
  return new Promise((resolve, reject) => {
    let socket: Socket | null = null;
    let isOver = false;
    const end = (fault: string | null): void => {
      isOver = true;
      clearTimeout(timer);
      socket?.close();
      resolve(fault);
    };
    const timer = setTimeout(() => end(late), timeoutMs);
    const status = (said: V1Status): void => end(faultOf(said));
    // without a name the API server takes the pod's only container
    const asked = new Exec(cluster.config).exec(
      of.namespace,
      pod,
      container ?? '',
      [...command],
      nowhere(),
      nowhere(),
      null,
      false,
      status,
    ) as Promise<Socket>;
    asked.then(
      (opened) => {
        socket = opened;
        if (isOver) opened.close();
        opened.onclose = () => end('the connection ended before the command');
        opened.onerror = () => end('the connection ended before the command');
      },
      (error: unknown) => {
        const code = statusOf(error);
        if (code !== 401 && code !== 403) {
          end(code === null ? 'no connection' : `the cluster answers ${code}`);
          return;
        }
        clearTimeout(timer);
        reject(failure('RIGHTS_MISSING', `cluster ${cluster.name}, exec in ${of.namespace}/${pod}: ${code}`));
      },
    );
  });
}

/** Nothing of what a command says is kept. */
const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

function faultOf({ status, reason, details }: V1Status): string | null {
  if (status === 'Success') return null;
  const code = details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message ?? '';
  return reason === 'NonZeroExitCode' && /^\d{1,3}$/.test(code) ? `exit code ${code}` : 'it could not be run';
}

/** The library has no other word for an answer that opens nothing. */
function statusOf(error: unknown): number | null {
  const message = typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : '';
  const [, code] = /^Unexpected server response: (\d{3})$/.exec(message) ?? [];
  return code === undefined ? null : Number(code);
}

type Workload = FoundObject & { readonly spec?: { readonly selector?: { matchLabels?: Record<string, string> } } };

/** The youngest ready pod of a workload: while it rolls, that is one of the new ones. Null: none is ready. */
async function podOf(cluster: Cluster, { kind, namespace, name }: ExecRef): Promise<string | null> {
  const workload = await readObject<Workload>(cluster, { kind, namespace, name });
  const labels = workload?.spec?.selector?.matchLabels;
  if (labels === undefined) return null;
  const pods = await listObjects<V1Pod>(cluster, 'Pod', namespace, labels);
  const ready = pods.filter(isReady).toSorted((one, other) => bornAt(other) - bornAt(one));
  return ready[0]?.metadata?.name ?? null;
}

const isReady = ({ metadata, status }: V1Pod): boolean =>
  metadata?.deletionTimestamp === undefined &&
  (status?.conditions ?? []).some(({ type, status: state }) => type === 'Ready' && state === 'True');

const bornAt = ({ metadata }: V1Pod): number => new Date(partOf(metadata).creationTimestamp ?? 0).getTime();
