import { existsSync } from 'node:fs';
import { findEmbedded } from './settings.ts';

/** What commands use that work beside the service instead of asking it. */
export interface Installation {
  /** The file that is named, the one that lies here, or that of the service that runs here; null: there is none. */
  readonly configFile: string | null;
  /** The environment, with the address of the embedded Temporal when it names none. */
  readonly env: NodeJS.ProcessEnv;
}

/** Finds the installation of this machine. */
export async function findInstallation(env: NodeJS.ProcessEnv): Promise<Installation> {
  const embedded = await findEmbedded(env);
  const temporal = embedded?.temporal ?? null;
  return {
    configFile:
      env['LAKESHIFT_CONFIG'] ?? (existsSync('lakeshift.yaml') ? 'lakeshift.yaml' : (embedded?.config ?? null)),
    env: { ...(temporal === null ? {} : { TEMPORAL_ADDRESS: temporal }), ...env },
  };
}
