import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Home } from '../home.ts';
import { answers } from '../ports.ts';
import { startTemporal } from '../temporal/server.ts';
import { ToolFailure } from '../tool-failure.ts';
import type { Crew } from './crew.ts';

/** How our programs reach Temporal. */
export interface Engine {
  /** `host:port`. */
  readonly address: string;
  readonly ui: string | null;
  /** The environment that our programs get. */
  readonly env: NodeJS.ProcessEnv;
}

/** Starts our own Temporal with its state in a file, and its UI. */
export async function startOwnEngine(
  home: Home,
  crew: Crew,
  recordIn: string,
  ports: { readonly temporal: number; readonly ui: number },
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Engine> {
  const common = { dbFile: join(home.data, 'temporal.db'), logFile: join(home.log, 'temporal.log'), recordIn };
  await crew.add({
    name: 'Temporal',
    start: () => startTemporal({ ...common, port: ports.temporal, uiPort: ports.ui, ownGroup: true, say, signal }),
  });
  const address = `127.0.0.1:${ports.temporal}`;
  return { address, ui: `http://127.0.0.1:${ports.ui}`, env: await isolated(home, address) };
}

/** Uses a Temporal that is not ours, by its own environment variables. */
export async function useEngine(address: string, env: NodeJS.ProcessEnv): Promise<Engine> {
  const [, host = '', port = ''] = /^(?:\w+:\/\/)?\[?(.+?)\]?:(\d+)$/.exec(address) ?? [];
  if (host === '') throw new ToolFailure(`TEMPORAL_ADDRESS must be host:port, not "${address}"`);
  if (!(await answers(Number(port), host))) {
    throw new ToolFailure(`nothing answers at ${address} (TEMPORAL_ADDRESS); unset it to start a Temporal here`);
  }
  return { address, ui: env['LAKESHIFT_TEMPORAL_UI'] ?? null, env };
}

/** A profile or key that the user has for another Temporal must not reach ours. */
async function isolated(home: Home, address: string): Promise<NodeJS.ProcessEnv> {
  const profile = join(home.run, 'temporal.toml');
  await writeFile(profile, `[profile.default]\naddress = "${address}"\nnamespace = "default"\n`);
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_'));
  return { ...Object.fromEntries(others), TEMPORAL_ADDRESS: address, TEMPORAL_CONFIG_FILE: profile };
}
