/** How to reach a cluster, and as whom. */
export interface ClusterAccess {
  /** `https://host:port`. */
  readonly url: string;
  /** Certificates that the server's own hangs on, PEM. */
  readonly ca: string;
  /** A bearer's token: not for logs. */
  readonly token: string;
}

/** The text of a kubeconfig with that one cluster and user; JSON, which is YAML too. It holds the token: not for logs. */
export function kubeconfig({ url, ca, token }: ClusterAccess, user = 'user'): string {
  const cluster = { server: url, 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'lakeshift', cluster }],
    users: [{ name: user, user: { token } }],
    contexts: [{ name: 'lakeshift', context: { cluster: 'lakeshift', user } }],
    'current-context': 'lakeshift',
  });
}
