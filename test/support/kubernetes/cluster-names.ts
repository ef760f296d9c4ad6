import dns from 'node:dns';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import type { ClusterAccess } from '../../../tools/kubernetes/kubeconfig.ts';

// Imported before a program: what the DNS of a cluster is to its pods. `service.namespace.svc` is the address of a ready pod.
const variable = 'LAKESHIFT_TEST_CLUSTER_NAMES';

/** Environment in which a Node program finds the Services of a cluster by their names. */
export const withClusterNames = (access: ClusterAccess): NodeJS.ProcessEnv => ({
  NODE_OPTIONS: `--import=${import.meta.url}`,
  [variable]: JSON.stringify(access),
});

interface Slices {
  readonly items: readonly {
    readonly endpoints?: readonly {
      readonly addresses: readonly string[];
      readonly conditions?: { readonly ready?: boolean };
    }[];
  }[];
}

async function addressesOf({ url, ca, token }: ClusterAccess, service: string, namespace: string): Promise<string[]> {
  const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3D${service}`;
  const said = await new Promise<string>((resolve, reject) => {
    const asked = request(`${url}${path}`, { ca, headers: { authorization: `Bearer ${token}` } }, (response) => {
      text(response).then(resolve, reject);
    });
    asked.on('error', reject);
    asked.end();
  });
  const { items } = JSON.parse(said) as Slices; // the API server answers it
  const ready = items.flatMap(({ endpoints = [] }) =>
    endpoints.filter(({ conditions }) => conditions?.ready !== false),
  );
  return ready.flatMap(({ addresses }) => addresses);
}

const access = process.env[variable];
if (access !== undefined) {
  const before = dns.lookup;
  type Done = (error: Error | null, ...found: unknown[]) => void;
  const lookup = (name: string, options: { readonly all?: boolean }, done: Done): void => {
    const [, service, namespace] = /^([a-z0-9-]+)\.([a-z0-9-]+)\.svc$/.exec(name) ?? [];
    if (service === undefined || namespace === undefined) {
      before(name, options, done);
      return;
    }
    addressesOf(JSON.parse(access) as ClusterAccess, service, namespace).then(
      (addresses) => {
        const address = addresses[Math.floor(Math.random() * addresses.length)];
        if (address === undefined) done(Object.assign(new Error(`${name} has no ready pod`), { code: 'ENOTFOUND' }));
        else if (options.all === true) done(null, [{ address, family: 4 }]);
        else done(null, address, 4);
      },
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
    );
  };
  // Node's own connections call it with these three arguments
  Object.assign(dns, { lookup });
}
