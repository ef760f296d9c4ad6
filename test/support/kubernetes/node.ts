import {
  CoordinationV1Api,
  CoreV1Api,
  PatchStrategy,
  setHeaderOptions,
  type KubeConfig,
} from '@kubernetes/client-node';

const fieldManager = 'test-node-agent';
const apply = setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply);
const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);

/**
 * Makes the node known, and ready; room for pods is none of the tests' concerns. Commands for its pods come to `port`,
 * by the WebSockets of whoever asks for them: else the API server would translate these to SPDY.
 */
export async function registerNode(config: KubeConfig, name: string, address: string, port: number): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' };
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } };
  await core.patchNode({ name, body: node, fieldManager, force: true }, apply);
  const room = { cpu: '1000', memory: '1000Gi', pods: '4000' };
  const at = new Date().toISOString();
  const ready = { type: 'Ready', status: 'True', reason: 'NodeAgentReady', message: 'the agent of the tests runs' };
  const status = {
    addresses: [
      { type: 'InternalIP', address },
      // the API server prefers it, and nobody resolves the name of a node here
      { type: 'Hostname', address },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
    declaredFeatures: ['ExtendWebSocketsToKubelet'],
    capacity: room,
    allocatable: room,
    conditions: [{ ...ready, lastHeartbeatTime: at, lastTransitionTime: at }],
  };
  await core.patchNodeStatus({ name, body: { status } }, merge);
  await renewLease(config, name);
}

/** A node without a fresh lease is taken for lost after 50 s, and its pods with it. */
export async function renewLease(config: KubeConfig, name: string): Promise<void> {
  const namespace = 'kube-node-lease';
  // the server wants microseconds
  const renewTime = new Date().toISOString().replace('Z', '000Z');
  const body = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace },
    spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime },
  };
  const leases = config.makeApiClient(CoordinationV1Api);
  await leases.patchNamespacedLease({ name, namespace, body, fieldManager, force: true }, apply);
}
