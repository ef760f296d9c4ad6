import { randomBytes } from 'node:crypto';
import {
  AppsV1Api,
  CoreV1Api,
  DiscoveryV1Api,
  RbacAuthorizationV1Api,
  type V1PolicyRule,
} from '@kubernetes/client-node';
import type { CustomResources } from '../../../tools/custom-resources/sources.ts';
import type { ClusterAccess } from '../../../tools/kubernetes/kubeconfig.ts';
import { ask } from '../on-demand.ts';
import { required } from '../servers.ts';
import { configOf } from './config.ts';

export { configOf } from './config.ts';

/** The run's cluster, and who may speak to it. */
export interface TestCluster {
  /** May do everything. */
  readonly admin: ClusterAccess;
  /** The user `lakeshift`, who may do only what a test binds to it. */
  readonly guest: ClusterAccess;
}

/** A namespace of one test. */
export interface TestNamespace extends TestCluster {
  readonly name: string;
  /** Lets the user `lakeshift` do that here, and nowhere else. */
  readonly allow: (...rules: V1PolicyRule[]) => Promise<void>;
  /** Its pods drain afterwards; nobody waits for that. */
  readonly drop: () => Promise<void>;
}

/** The APIs that tests of applications need. */
export interface Apis {
  readonly core: CoreV1Api;
  readonly apps: AppsV1Api;
  readonly discovery: DiscoveryV1Api;
  readonly rbac: RbacAuthorizationV1Api;
}

/** The first test that asks waits while the programs are built. */
const startWithinMs = 30 * 60_000;

const lacking = await ask(required('LAKESHIFT_TEST_KUBERNETES'), 'lacking');

/** `describe` with the run's cluster, started before the first test; where there can be none it is skipped and its name says why. */
export function describeOnKubernetes(name: string, tests: () => void): void {
  const where = lacking === '' ? describe : describe.skip;
  where(lacking === '' ? name : `${name} (${lacking})`, () => {
    beforeAll(() => cluster().then(() => undefined), startWithinMs);
    tests();
  });
}

/** The cluster of this test run; the first who asks waits for its start. */
export async function cluster(): Promise<TestCluster> {
  const said = await ask(required('LAKESHIFT_TEST_KUBERNETES'), 'cluster');
  // test/support/kubernetes/offer.ts writes it
  const { url, ca, token, guestToken } = JSON.parse(said) as ClusterAccess & { readonly guestToken: string };
  return { admin: { url, ca, token }, guest: { url, ca, token: guestToken } };
}

/** Makes a project's resources known to the cluster, once for the run. */
export async function withCustomResources(of: CustomResources): Promise<void> {
  await ask(required('LAKESHIFT_TEST_KUBERNETES'), of);
}

/** An empty namespace of one's own. */
export async function freshNamespace(): Promise<TestNamespace> {
  const { admin, guest } = await cluster();
  const name = `test-${randomBytes(6).toString('hex')}`;
  const { core, rbac } = apisOf(admin);
  await core.createNamespace({ body: { metadata: { name } } });
  return {
    name,
    admin,
    guest,
    allow: async (...rules) => {
      const metadata = { name: `lakeshift-${randomBytes(3).toString('hex')}` };
      await rbac.createNamespacedRole({ namespace: name, body: { metadata, rules } });
      const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name };
      const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'lakeshift' }];
      await rbac.createNamespacedRoleBinding({ namespace: name, body: { metadata, roleRef, subjects } });
    },
    drop: async () => {
      await core.deleteNamespace({ name });
    },
  };
}

/** Clients for whoever has that access. */
export function apisOf(access: ClusterAccess): Apis {
  const config = configOf(access);
  return {
    core: config.makeApiClient(CoreV1Api),
    apps: config.makeApiClient(AppsV1Api),
    discovery: config.makeApiClient(DiscoveryV1Api),
    rbac: config.makeApiClient(RbacAuthorizationV1Api),
  };
}
