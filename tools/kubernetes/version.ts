/** Kubernetes that `go.mod` pins and our cache is named after. */
export const kubernetesVersion = '1.36.3';

/** The etcd that this Kubernetes pins itself; Debian's 3.4 does not do, its watches fail. */
export const etcdVersion = '3.6.8';
