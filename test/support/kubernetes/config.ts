import { KubeConfig } from '@kubernetes/client-node';
import { kubeconfig, type ClusterAccess } from '../../../tools/kubernetes/kubeconfig.ts';

/** The client's configuration for whoever has that access. */
export function configOf(access: ClusterAccess): KubeConfig {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig(access));
  return config;
}
