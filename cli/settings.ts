import { readFile } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { Refused } from './failure.ts';
import type { Access } from './http.ts';

/** The options that every command takes. */
export interface GlobalOptions {
  readonly api?: string;
  readonly json?: boolean;
  readonly actor?: string;
  readonly groups?: string;
}

/** Where a service listens when nobody says otherwise. */
const usualAddress = 'http://127.0.0.1:7070';

/**
 * Finds the service: `--api`, LAKESHIFT_API, the embedded service that runs here, or the usual port.
 * The token comes from LAKESHIFT_TOKEN alone: options can be seen by everybody on the machine.
 */
export async function findAccess(options: GlobalOptions, env: NodeJS.ProcessEnv): Promise<Omit<Access, 'signal'>> {
  const either = (option: string | undefined, variable: string): string | null => option ?? (env[variable] || null);
  return {
    address: originOf(either(options.api, 'LAKESHIFT_API') ?? (await findEmbedded(env))?.address ?? usualAddress),
    token: either(undefined, 'LAKESHIFT_TOKEN'),
    actor: either(options.actor, 'LAKESHIFT_ACTOR') ?? loginName(),
    groups: either(options.groups, 'LAKESHIFT_GROUPS'),
  };
}

function originOf(address: string): string {
  if (/^https?:\/\//.test(address) && URL.canParse(address)) return new URL(address).origin;
  throw new Refused(`${address} is not the address of an API; write for example ${usualAddress}`);
}

/** What the embedded service has written down about itself. */
export interface Embedded {
  readonly address: string;
  /** `host:port` of the Temporal that it uses. */
  readonly temporal: string | null;
  /** Path of its configuration. */
  readonly config: string;
}

/** The embedded service that runs here, or null. */
export async function findEmbedded(env: NodeJS.ProcessEnv): Promise<Embedded | null> {
  const byDefault = process.getuid?.() === 0 ? '/var/lib/lakeshift' : join(homedir(), '.lakeshift');
  const home = env['LAKESHIFT_HOME'] ?? byDefault;
  try {
    const written: unknown = JSON.parse(await readFile(join(home, 'run', 'api.json'), 'utf8'));
    if (!hasAddress(written)) return null;
    return { address: written.address, temporal: written.temporal ?? null, config: join(home, 'lakeshift.yaml') };
  } catch {
    return null;
  }
}

const hasAddress = (value: unknown): value is { readonly address: string; readonly temporal?: string } =>
  typeof value === 'object' && value !== null && 'address' in value && typeof value.address === 'string';

/** A user without an entry in the system's list has no name. */
function loginName(): string | null {
  try {
    return userInfo().username;
  } catch {
    return null;
  }
}
