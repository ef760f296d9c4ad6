import { connect } from 'node:net';
import type { Probe } from '../../contracts/gate.ts';
import type { Cluster } from '../kubernetes/cluster.ts';
import { runCommand } from '../kubernetes/run-command.ts';
import { runStatements } from '../trino/run-statements.ts';
import { checkGrpcHealth } from './grpc-health.ts';

/** Asks once; what is wrong, in words without any of the answer's own, or null. Commands run in clusters found by `at`. */
export function probeSide(probe: Probe, at: FindCluster): Promise<string | null> {
  // TypeScript can't see that the probe found under its own kind takes it
  const ask = probes[probe.by] as unknown as (probe: Probe, at: FindCluster) => Promise<string | null>;
  return ask(probe, at);
}

type FindCluster = (name: string) => Cluster;

type Probes = {
  readonly [K in Probe['by']]: (probe: Extract<Probe, { readonly by: K }>, at: FindCluster) => Promise<string | null>;
};

const probes: Probes = {
  async http({ url, status, timeoutMs }) {
    try {
      const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
      await response.arrayBuffer();
      return response.status === status ? null : `HTTP status ${response.status} instead of ${status}`;
    } catch (error) {
      return isTimeout(error) ? `no answer in ${timeoutMs} ms` : 'no connection';
    }
  },
  tcp: ({ address, timeoutMs }) => {
    const [, host = '', port = ''] = /^(.+):(\d+)$/.exec(address) ?? [];
    return new Promise((resolve) => {
      const socket = connect(Number(port), host);
      const end = (fault: string | null) => {
        socket.destroy();
        resolve(fault);
      };
      socket.setTimeout(timeoutMs, () => end(`no connection in ${timeoutMs} ms`));
      socket.on('connect', () => end(null));
      socket.on('error', () => end('no connection'));
    });
  },
  trino: ({ address, user, sql, timeoutMs }) => runStatements({ name: address, url: address, user }, sql, timeoutMs),
  grpc: ({ address, service, timeoutMs }) => checkGrpcHealth(address, service, timeoutMs),
  exec: (probe, at) => runCommand(at(probe.target), probe),
};

const isTimeout = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'name' in error && error.name === 'TimeoutError';
