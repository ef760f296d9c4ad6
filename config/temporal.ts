import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';

/** How Temporal is reached: options for `Connection.connect` and `NativeConnection.connect`, and the namespace. */
export interface TemporalConnection {
  readonly connectionOptions: ClientConnectConfig['connectionOptions'] & { readonly address: string };
  readonly namespace: string;
}

/**
 * Reads Temporal's own environment variables and profiles (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY,
 * TEMPORAL_TLS…, TEMPORAL_PROFILE, temporal.toml), so that what works for the Temporal CLI works here.
 */
export function loadTemporalConnection(env: NodeJS.ProcessEnv = process.env): TemporalConnection {
  const set = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars: Object.fromEntries(set) });
  return {
    connectionOptions: { ...connectionOptions, address: connectionOptions.address ?? '127.0.0.1:7233' },
    namespace: namespace ?? 'default',
  };
}

/** The address of a workflow in Temporal's user interface `ui`. */
export const temporalAddressOf = (ui: string, namespace: string, workflowId: string): string =>
  `${ui}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}`;
