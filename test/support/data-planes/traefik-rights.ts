import { CoreV1Api } from '@kubernetes/client-node';
import type { ClusterAccess } from '../../../tools/kubernetes/kubeconfig.ts';
import { configOf, type TestNamespace } from '../kubernetes/cluster.ts';
import { createAll, type AnyObject } from './objects.ts';

const look = ['get', 'list', 'watch'];
const gateway = 'gateway.networking.k8s.io';
const rbac = 'rbac.authorization.k8s.io';

/** What Traefik has to see of the whole cluster. */
const inCluster = [
  { apiGroups: [''], resources: ['namespaces'], verbs: look },
  { apiGroups: [gateway], resources: ['gatewayclasses'], verbs: look },
  { apiGroups: [gateway], resources: ['gatewayclasses/status'], verbs: ['update'] },
];

/** And of the namespace that it routes to; without any of these it does not begin. */
const inNamespace = [
  { apiGroups: [''], resources: ['services', 'secrets', 'configmaps'], verbs: look },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: look },
  {
    apiGroups: [gateway],
    resources: ['gateways', 'httproutes', 'grpcroutes', 'referencegrants', 'backendtlspolicies'],
    verbs: look,
  },
  { apiGroups: [gateway], resources: ['gateways/status', 'httproutes/status'], verbs: ['update'] },
];

/** A service account of that name that may do what Traefik needs, and no more. */
export async function asTraefik(
  namespace: TestNamespace,
  name: string,
): Promise<{ readonly access: ClusterAccess; readonly remove: () => Promise<void> }> {
  const metadata = { name, namespace: namespace.name };
  // names of the whole cluster: the account's own is only known in its namespace
  const ofCluster = { name: `${namespace.name}-${name}` };
  const subjects = [{ kind: 'ServiceAccount', ...metadata }];
  const roleRef = (kind: string, role: string) => ({ apiGroup: rbac, kind, name: role });
  const apiVersion = `${rbac}/v1`;
  const objects: readonly AnyObject[] = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion, kind: 'Role', metadata, rules: inNamespace },
    { apiVersion, kind: 'RoleBinding', metadata, roleRef: roleRef('Role', name), subjects },
    { apiVersion, kind: 'ClusterRole', metadata: ofCluster, rules: inCluster },
    {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata: ofCluster,
      roleRef: roleRef('ClusterRole', ofCluster.name),
      subjects,
    },
  ];
  const { remove } = await createAll(namespace.admin, objects);
  const core = configOf(namespace.admin).makeApiClient(CoreV1Api);
  const { status } = await core.createNamespacedServiceAccountToken({
    ...metadata,
    body: { spec: { audiences: ['https://kubernetes.default.svc'], expirationSeconds: 3_600 } },
  });
  const { url, ca } = namespace.admin;
  return { access: { url, ca, token: status?.token ?? '' }, remove };
}
