import { request } from 'node:https';
import type { ClusterAccess } from './kubeconfig.ts';

const withinMs = 5_000;

/** HTTP status of a GET at the API server; null: it did not answer. */
export function look({ url, ca, token }: ClusterAccess, path: string): Promise<number | null> {
  return new Promise((resolve) => {
    const asked = request(
      `${url}${path}`,
      { ca, agent: false, timeout: withinMs, headers: { authorization: `Bearer ${token}` } },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? null);
      },
    );
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => {
      resolve(null);
    });
    asked.end();
  });
}
