import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createClusterActivities, createClusters } from '../../../activities/kubernetes/index.ts';
import type { RollStatus } from '../../../contracts/workload.ts';
import type { ClusterAccess } from '../../../tools/kubernetes/kubeconfig.ts';
import { apisOf, describeOnKubernetes, freshNamespace, type TestNamespace } from '../../support/kubernetes/cluster.ts';
import { deploymentOf } from '../../support/kubernetes/deployment.ts';

/** What a server says that has forgotten the version from which a watch wants to go on. */
const expired = {
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message: 'too old resource version: 1 (4711)',
  reason: 'Expired',
  code: 410,
};

/** The API server as one that has forgotten where the first watch wants to go on; everything else is its own answer. */
class Forgetful {
  watches = 0;
  readonly #server: Server;

  constructor({ url, ca, token }: ClusterAccess, how: 'event' | 'status') {
    this.#server = createServer((asked, answer) => {
      const to = new URL(asked.url ?? '/', url);
      if (to.searchParams.has('watch') && ++this.watches === 1) {
        answer.writeHead(how === 'event' ? 200 : 410, { 'content-type': 'application/json' });
        answer.end(`${JSON.stringify(how === 'event' ? { type: 'ERROR', object: expired } : expired)}\n`);
        return;
      }
      const headers = { ...asked.headers, host: to.host, authorization: `Bearer ${token}` };
      const passed = request(to, { method: asked.method ?? 'GET', headers, ca }, (response) => {
        answer.writeHead(response.statusCode ?? 0, response.headers);
        response.pipe(answer);
      });
      passed.on('error', () => answer.destroy());
      answer.on('close', () => passed.destroy());
      asked.pipe(passed);
    });
  }

  /** Text of a kubeconfig for it. */
  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const { port } = this.#server.address() as AddressInfo; // it listens on TCP
    const cluster = { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true };
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster }],
      users: [{ name: 'test', user: { token: 'none' } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      'current-context': 'test',
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

describeOnKubernetes('following a rollout', () => {
  let namespace: TestNamespace;
  let folder: string;
  beforeAll(async () => {
    namespace = await freshNamespace();
    folder = await mkdtemp(join(tmpdir(), 'lakeshift-follow-'));
  });
  afterAll(async () => {
    await namespace.drop();
    await rm(folder, { recursive: true });
  });

  test.each(['event', 'status'] as const)(
    'looks anew when a watch has expired (410, as %s)',
    async (how) => {
      const { apps } = apisOf(namespace.admin);
      const body = deploymentOf(how, { replicas: 2, env: { READY_AFTER_MS: '2000' } });
      const forgetful = new Forgetful(namespace.admin, how);
      const kubeconfig = join(folder, 'kubeconfig');
      const closing = new AbortController();
      await writeFile(kubeconfig, await forgetful.open());
      await apps.createNamespacedDeployment({ namespace: namespace.name, body });
      const clusters = createClusters({
        cluster: (name) => ({ name, kubeconfig, context: null }),
        closing: closing.signal,
      });
      const { awaitRollout } = createClusterActivities(clusters);
      const workload = { kind: 'Deployment', namespace: namespace.name, name: how } as const;
      const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
      const status = await environment.run<[], RollStatus, () => Promise<RollStatus>>(() =>
        awaitRollout({ target: 'k8s', workload, sliceMs: 60_000 }),
      );
      closing.abort();
      await forgetful.close();
      expect([status.done, status.updated]).toEqual([true, 2]);
      expect(forgetful.watches).toBeGreaterThan(1);
    },
    90_000,
  );
});
