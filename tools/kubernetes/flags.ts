import { join } from 'node:path';
import type { Credentials } from './credentials.ts';

/** Where the parts of a cluster find each other, all on loopback. */
export interface Ports {
  readonly etcd: number;
  /** etcd wants a second one for its peers, of which there are none. */
  readonly etcdPeers: number;
  readonly apiServer: number;
  readonly controllers: number;
}

const loopback = '127.0.0.1';

/** Nothing listens there: an API server refuses to be known to its pods by loopback, and no pod of ours asks for it. */
const advertised = '192.0.2.1';

/** Services get addresses that nobody answers: there is no kube-proxy. Their EndpointSlices are what counts. */
const serviceAddresses = '10.251.0.0/16';

/** Folder of the API server's certificate, which it makes itself. */
export const certificates = (folder: string): string => join(folder, 'certificates');

export function etcdFlags(folder: string, ports: Ports): string[] {
  const [clients, peers] = [`http://${loopback}:${ports.etcd}`, `http://${loopback}:${ports.etcdPeers}`];
  return [
    ...['--data-dir', join(folder, 'etcd'), '--log-level', 'warn'],
    ...['--listen-client-urls', clients, '--advertise-client-urls', clients],
    ...['--listen-peer-urls', peers, '--initial-advertise-peer-urls', peers, '--initial-cluster', `default=${peers}`],
    // a cluster of tests need not survive the machine
    '--unsafe-no-fsync',
  ];
}

export function apiServerFlags(folder: string, ports: Ports, { tokenFile, signingKeyFile }: Credentials): string[] {
  return flags({
    'etcd-servers': `http://${loopback}:${ports.etcd}`,
    'bind-address': loopback,
    'secure-port': ports.apiServer,
    'advertise-address': advertised,
    'endpoint-reconciler-type': 'none',
    'cert-dir': certificates(folder),
    'token-auth-file': tokenFile,
    'authorization-mode': 'RBAC',
    'service-account-key-file': signingKeyFile,
    'service-account-signing-key-file': signingKeyFile,
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-cluster-ip-range': serviceAddresses,
    // it would refuse pods in a namespace that is too new to have its service account
    'disable-admission-plugins': 'ServiceAccount',
    profiling: false,
  });
}

export function controllerFlags(
  folder: string,
  ports: Ports,
  { signingKeyFile }: Credentials,
  kubeconfigFile: string,
): string[] {
  return flags({
    kubeconfig: kubeconfigFile,
    'bind-address': loopback,
    'secure-port': ports.controllers,
    'cert-dir': join(folder, 'controllers'),
    'leader-elect': false,
    'use-service-account-credentials': true,
    'service-account-private-key-file': signingKeyFile,
    // the default, 20 a second, would make suites that run side by side wait for each other
    'kube-api-qps': 200,
    'kube-api-burst': 400,
    profiling: false,
  });
}

const flags = (values: Readonly<Record<string, string | number | boolean>>): string[] =>
  Object.entries(values).map(([name, value]) => `--${name}=${value}`);
