/** Kubernetes that `go.mod` pins and our cache is named after. */
export const kubernetesVersion = '1.36.3';

/** The etcd that this Kubernetes pins itself; Debian's 3.4 does not do, its watches fail. */
export const etcdVersion = '3.6.8';

/** How the programs know which version they are, for Go's linker; a build of Kubernetes' own sets the same. */
export const kubernetesLinker = Object.entries({ gitVersion: `v${kubernetesVersion}`, gitMajor: '1', gitMinor: '36' })
  .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
  .join(' ');
